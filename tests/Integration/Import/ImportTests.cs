using Actors.Silo.Import;
using Npgsql;
using Xunit;
using static Actors.Tests.Integration.Import.ImportDatabase;

namespace Actors.Tests.Integration.Import;

public sealed class ImportTests
{
    private const string InstallmentHeader = "id,payment_plan_id,amount,student_due_date,status\n";

    [Fact]
    public async Task Agencies_plans_and_installments_arrive_as_the_files_say()
    {
        await using var database = await ImportDatabase.CreateAsync();
        var agencies = await database.ImportAsync(ImportKind.Agencies,
            "id,name,timezone,overdue_cutoff_time,due_soon_threshold_days\n"
            + $"{Id('a', 1)},Kyoto,Asia/Tokyo,09:30,14\n{Id('a', 2)},Late,Europe/Paris,23:59:59,1\n");
        var plans = await database.ImportAsync(ImportKind.Plans,
            $"id,agency_id,status\n{Id('b', 1)},{Id('a', 1)},active\n{Id('b', 2)},{Id('a', 2)},paused\n");
        var installments = await database.ImportAsync(ImportKind.Installments, InstallmentHeader
            + $"{Id('c', 1)},{Id('b', 1)},10.5,2026-02-28,pending\n{Id('c', 2)},{Id('b', 2)},9999999999.99,,paid\n");

        Assert.Equal(new ImportResult(ImportKind.Agencies, 2, 0, 0, 0, []), agencies with { ZonesAdded = [] });
        Assert.Equal((2, 2), (plans.Inserted, installments.Inserted));
        Assert.Equal(
            ["Kyoto|Asia/Tokyo|09:30:00|14", "Late|Europe/Paris|23:59:59|1"],
            await database.RowsAsync("""
                SELECT concat_ws('|', name, timezone, overdue_cutoff_time, due_soon_threshold_days)
                FROM agencies ORDER BY id
                """));
        Assert.Equal(
            ["active|10.50|2026-02-28|pending", "paused|9999999999.99|never|paid"],
            await database.RowsAsync("""
                SELECT concat_ws('|', p.status, i.amount, coalesce(i.student_due_date::text, 'never'), i.status)
                FROM installments i JOIN payment_plans p ON p.id = i.payment_plan_id ORDER BY i.id
                """));
    }

    [Fact]
    public async Task A_byte_order_mark_CRLF_quotes_blank_lines_and_any_column_order_are_read()
    {
        await using var database = await ImportDatabase.CreateAsync();
        var result = await database.ImportAsync(ImportKind.Agencies,
            "\uFEFF\"timezone\",name,id\r\n\r\n"
            + $"\"Asia/Tokyo\",\"Fish, \"\"Chips\"\" \\ & Söhne\",{Id('a', 1)}\r\n\r\n");
        Assert.Equal(1, result.Inserted);
        Assert.Equal(
            ["Fish, \"Chips\" \\ & Söhne|Asia/Tokyo|17:00:00|4"],
            await database.RowsAsync(
                "SELECT concat_ws('|', name, timezone, overdue_cutoff_time, due_soon_threshold_days) FROM agencies"));
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("\r")]
    public async Task Lines_may_end_in_any_way_and_are_counted_alike(string end)
    {
        await using var database = await ImportDatabase.CreateAsync();
        var message = await database.FailToImportAsync(ImportKind.Agencies,
            string.Join(end, "id,name", $"{Id('a', 1)},One", "", $"{Id('a', 2)},\"T{end}wo\"", "x,Three"));
        Assert.StartsWith("line 4: name 'T\\u", message, StringComparison.Ordinal);
        Assert.EndsWith(
            "line 6: id 'x' is not a uuid\n2 errors in file.csv; nothing was imported.", message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Optional_settings_that_are_empty_take_the_database_defaults()
    {
        await using var database = await ImportDatabase.CreateAsync();
        await database.ExecuteAsync("ALTER TABLE agencies ALTER due_soon_threshold_days SET DEFAULT 7");
        await database.ImportAsync(ImportKind.Agencies,
            $"id,name,timezone,due_soon_threshold_days\n{Id('a', 1)},One,,\n{Id('a', 2)},Two,UTC,3\n");
        Assert.Equal(
            ["Australia/Brisbane 17:00:00 7", "UTC 17:00:00 3"],
            await database.RowsAsync(
                "SELECT concat_ws(' ', timezone, overdue_cutoff_time, due_soon_threshold_days) FROM agencies "
                + "ORDER BY id"));
    }

    [Fact]
    public async Task The_same_file_again_changes_nothing()
    {
        await using var database = await ImportDatabase.CreateWithPlanAsync();
        var agencies = $"id,name,timezone\n{Id('a', 2)},Two,Asia/Tokyo\n{Id('a', 3)},Three,\n";
        var plans = $"id,agency_id,status\n{Id('b', 2)},{Id('a', 2)},cancelled\n";
        var installments = InstallmentHeader + $"{Id('c', 1)},{Id('b', 2)},12,,pending\n";
        await database.ImportAsync(ImportKind.Agencies, agencies);
        await database.ImportAsync(ImportKind.Plans, plans);
        await database.ImportAsync(ImportKind.Installments, installments);
        var before = await database.ContentAsync();

        Assert.Equal((0, 2), Counts(await database.ImportAsync(ImportKind.Agencies, agencies)));
        Assert.Equal((0, 1), Counts(await database.ImportAsync(ImportKind.Plans, plans)));
        Assert.Equal((0, 1), Counts(await database.ImportAsync(ImportKind.Installments, installments)));
        Assert.Equal(before, await database.ContentAsync());
    }

    [Fact]
    public async Task An_installment_that_became_overdue_since_keeps_its_status()
    {
        await using var database = await ImportDatabase.CreateWithPlanAsync();
        var file = InstallmentHeader
            + $"{Id('c', 1)},{Id('b', 1)},10,2026-01-01,pending\n{Id('c', 2)},{Id('b', 1)},10,2026-01-01,pending\n";
        await database.ImportAsync(ImportKind.Installments, file);
        await database.ExecuteAsync($"UPDATE installments SET status = 'overdue' WHERE id = '{Id('c', 1)}'");

        var again = await database.ImportAsync(ImportKind.Installments, file + $"{Id('c', 3)},{Id('b', 1)},1,,paid\n");
        Assert.Equal(new ImportResult(ImportKind.Installments, 1, 2, 1, 0, again.ZonesAdded), again);
        Assert.Equal(
            ["overdue", "pending", "paid"], await database.RowsAsync("SELECT status FROM installments ORDER BY id"));
    }

    [Fact]
    public async Task An_empty_setting_asks_for_nothing_where_the_agency_is_there()
    {
        await using var database = await ImportDatabase.CreateWithPlanAsync();
        await database.ExecuteAsync("UPDATE agencies SET timezone = 'Asia/Tokyo', due_soon_threshold_days = 9");
        var result = await database.ImportAsync(ImportKind.Agencies, $"id,name,timezone\n{Id('a', 1)},First,\n");
        Assert.Equal((0, 1), Counts(result));
        Assert.Equal(["Asia/Tokyo"], await database.RowsAsync("SELECT timezone FROM agencies"));
    }

    [Fact]
    public async Task A_line_that_repeats_another_word_for_word_is_counted_once()
    {
        await using var database = await ImportDatabase.CreateWithPlanAsync();
        var line = $"{Id('c', 1)},{Id('b', 1)},10.00,,pending\n";
        var result = await database.ImportAsync(ImportKind.Installments, InstallmentHeader + line + line + line);
        Assert.Equal((1, 0, 2), (result.Inserted, result.Unchanged, result.Repeated));
    }

    [Fact]
    public async Task A_zone_that_is_not_supported_yet_is_added_and_named()
    {
        await using var database = await ImportDatabase.CreateAsync();
        var result = await database.ImportAsync(ImportKind.Agencies,
            $"id,name,timezone\n{Id('a', 1)},One,Europe/Berlin\n{Id('a', 2)},Two,Africa/Cairo\n{Id('a', 3)},3,UTC\n");
        Assert.Equal(["Africa/Cairo", "Europe/Berlin"], result.ZonesAdded);
        Assert.Contains("Added to supported_timezones: Africa/Cairo, Europe/Berlin.", result.Describe());
    }

    [Fact]
    public async Task A_header_alone_imports_nothing_and_says_so()
    {
        await using var database = await ImportDatabase.CreateAsync();
        var result = await database.ImportAsync(ImportKind.Plans, "id,agency_id,status");
        Assert.Equal(["plans: 0 rows; the file has a header and nothing else."], result.Describe());
    }

    [Fact]
    public async Task Status_columns_that_are_enums_take_their_labels_and_no_others()
    {
        await using var database = await ImportDatabase.CreateWithEnumsAsync();
        await database.ImportAsync(ImportKind.Agencies, $"id,name\n{Id('a', 1)},One\n");
        var plans = $"id,agency_id,status\n{Id('b', 1)},{Id('a', 1)},completed\n";
        var installments = InstallmentHeader + $"{Id('c', 1)},{Id('b', 1)},1,,partial\n";
        await database.ImportAsync(ImportKind.Plans, plans);
        await database.ImportAsync(ImportKind.Installments, installments);
        Assert.Equal((0, 1), Counts(await database.ImportAsync(ImportKind.Plans, plans)));
        Assert.Equal((0, 1), Counts(await database.ImportAsync(ImportKind.Installments, installments)));

        var message = await database.FailToImportAsync(
            ImportKind.Plans, $"id,agency_id,status\n{Id('b', 2)},{Id('a', 1)},paused\n");
        Assert.StartsWith(
            "line 2: status 'paused' does not exist; there are active, completed, cancelled", message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_words_are_those_that_the_columns_constraints_take()
    {
        await using var database = await ImportDatabase.CreateWithPlanAsync();
        await database.ExecuteAsync("""
            ALTER TABLE payment_plans DROP CONSTRAINT payment_plans_status_check;
            ALTER TABLE payment_plans ADD CHECK (status <> ''), ADD CHECK (status IN ('active', 'o''hold', 'gone')),
              ADD CHECK (NOT status = 'gone');
            """);
        var plan = $"id,agency_id,status\n{Id('b', 2)},{Id('a', 1)},";
        Assert.StartsWith(
            "line 2: status 'gone' does not exist; there are",
            await database.FailToImportAsync(ImportKind.Plans, plan + "gone\n"), StringComparison.Ordinal);
        Assert.Equal(1, (await database.ImportAsync(ImportKind.Plans, plan + "o'hold\n")).Inserted);
    }

    [Fact]
    public async Task An_import_that_is_cut_off_in_the_middle_leaves_nothing()
    {
        await using var database = await ImportDatabase.CreateWithPlanAsync();
        var before = await database.ContentAsync();
        await using (var connection = new NpgsqlConnection(database.ConnectionString))
        {
            await connection.OpenAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            using var csv = new MemoryStream(
                System.Text.Encoding.UTF8.GetBytes(InstallmentHeader + $"{Id('c', 1)},{Id('b', 1)},1,,paid\n"));
            await CsvImport.RunAsync(connection, ImportKind.Installments, csv, "file.csv", CancellationToken.None);
            await database.ExecuteAsync($"SELECT pg_terminate_backend({connection.ProcessID})");
        }

        Assert.Equal(before, await database.ContentAsync());
    }

    [Fact]
    public async Task Two_imports_of_one_file_at_once_import_it_once()
    {
        await using var database = await ImportDatabase.CreateWithPlanAsync();
        var file = InstallmentHeader + string.Concat(
            Enumerable.Range(1, 500).Select(number => $"{Id('c', number)},{Id('b', 1)},1,,paid\n"));
        var results = await Task.WhenAll(
            Enumerable.Range(0, 4).Select(_ => database.ImportAsync(ImportKind.Installments, file)));
        Assert.Equal(500, results.Sum(result => result.Inserted));
        Assert.Equal(1_500, results.Sum(result => result.Unchanged));
    }

    private static (long Inserted, long Unchanged) Counts(ImportResult result) => (result.Inserted, result.Unchanged);
}
