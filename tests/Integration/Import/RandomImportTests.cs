using System.Globalization;
using System.Text;
using Actors.Silo.CommandLine;
using Actors.Silo.Import;
using CsCheck;
using Xunit;
using static Actors.Tests.Integration.Import.ImportDatabase;

namespace Actors.Tests.Integration.Import;

public sealed class RandomImportTests
{
    private const string Header = "id,payment_plan_id,amount,student_due_date,status";
    private static readonly DateOnly FirstDay = new(1900, 1, 1);
    private static readonly string[] Words = ["draft", "pending", "paid", "partial", "overdue", "cancelled"];

    private static readonly string[] Corruptions =
    [
        "", "x", "\"", "NULL", "\\N", "-1", "1e3", "0.001", "10000000000", "2026-02-29", "24:00", "pendin", "\u0000",
        "a,b", "\uFEFF", "b0000000-0000-4000-8000-000000000009", "ﬀ", "１",
    ];

    private static readonly Gen<string[]> Row = Gen.Select(
        Gen.Int[1, 1_000_000],
        Gen.Long[0, 999_999_999_999],
        Gen.Int[0, 109_000],
        Gen.OneOf(Words),
        (number, cents, day, word) => new[]
        {
            Id('c', number), Id('b', 1), (cents / 100m).ToString("0.00", CultureInfo.InvariantCulture),
            day % 7 == 0 ? "" : FirstDay.AddDays(day).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            word,
        });

    private static readonly Gen<string[][]> Rows =
        Row.Array[1, 40].Select(rows => rows.DistinctBy(row => row[0]).ToArray());

    private static readonly Gen<(int[] Order, bool Quoted, string End, bool Mark)> Forms = Gen.Select(
        Gen.Shuffle(Enumerable.Range(0, 5).ToArray()), Gen.Bool, Gen.OneOf("\n", "\r\n", "\r"), Gen.Bool);

    [Fact]
    public async Task Any_valid_rows_in_any_form_of_CSV_arrive_as_they_are()
    {
        await using var database = await ImportDatabase.CreateWithPlanAsync();
        await Gen.Select(Rows, Forms).SampleAsync(async (rows, form) =>
        {
            await database.ExecuteAsync("TRUNCATE installments");
            var result = await database.ImportAsync(ImportKind.Installments, Csv(rows, form));
            Assert.Equal(rows.Length, result.Inserted);
            Assert.Equal(
                rows.Select(row => string.Join('|', row)).Order(StringComparer.Ordinal),
                await database.RowsAsync("""
                    SELECT concat_ws('|', id, payment_plan_id, amount, coalesce(student_due_date::text, ''), status)
                    FROM installments ORDER BY id
                    """));
            Assert.Equal(
                rows.Length, (await database.ImportAsync(ImportKind.Installments, Csv(rows, form))).Unchanged);
        }, iter: 30, threads: 1);
    }

    [Fact]
    public async Task A_corrupted_file_is_imported_whole_or_not_at_all()
    {
        await using var database = await ImportDatabase.CreateWithPlanAsync();
        await Gen.Select(Rows, Gen.Int[0, 39], Gen.Int[0, 4], Gen.OneOf(Corruptions)).SampleAsync(
            async (rows, at, column, corruption) =>
            {
                await database.ExecuteAsync("TRUNCATE installments");
                var lines = rows.Select(row => row.ToArray()).ToArray();
                lines[at % lines.Length][column] = corruption;
                var expected = rows.Length;
                try
                {
                    var csv = string.Join('\n', lines.Select(line => string.Join(',', line)).Prepend(Header));
                    await database.ImportAsync(ImportKind.Installments, csv);
                }
                catch (CommandFailure failure)
                {
                    Assert.Equal(ExitCode.BadInput, failure.Code);
                    Assert.StartsWith($"line {(at % rows.Length) + 2}: ", failure.Message, StringComparison.Ordinal);
                    expected = 0;
                }

                var count = await database.RowsAsync("SELECT count(*)::text FROM installments");
                Assert.Equal([expected.ToString(CultureInfo.InvariantCulture)], count);
            },
            iter: 100,
            threads: 1);
    }

    private static byte[] Csv(string[][] rows, (int[] Order, bool Quoted, string End, bool Mark) form)
    {
        var lines = rows.Prepend(Header.Split(','))
            .Select(row => string.Join(',', form.Order.Select(
                column => form.Quoted ? $"\"{row[column]}\"" : row[column])));
        return Encoding.UTF8.GetBytes((form.Mark ? "\uFEFF" : "") + string.Join(form.End, lines));
    }
}
