using System.Text;
using Actors.Silo.Import;
using Xunit;
using static Actors.Tests.Integration.Import.ImportDatabase;

namespace Actors.Tests.Integration.Import;

/// <summary>A wrong file gets a sentence that names the line and the value, exit code 3, and changes nothing.</summary>
public sealed class BadImportTests(UnchangedDatabase unchanged) : IClassFixture<UnchangedDatabase>
{
    private readonly ImportDatabase database = unchanged.Database;
    private const string AgencyHeader = "id,name,timezone,overdue_cutoff_time,due_soon_threshold_days\n";
    private const string PlanHeader = "id,agency_id,status\n";
    private const string InstallmentHeader = "id,payment_plan_id,amount,student_due_date,status\n";

    [Theory]
    [InlineData("Australia/Brisbame,,", "timezone 'Australia/Brisbame' is unknown; did you mean 'Australia/Brisbane'?")]
    [InlineData("posixrules2,,", "timezone 'posixrules2' is unknown; write an IANA name like 'Australia/Brisbane'")]
    [InlineData("posix/Asia/Tokyo,,", "timezone 'posix/Asia/Tokyo' is known to PostgreSQL only, and not to TZDB")]
    [InlineData(",24:00,", "overdue_cutoff_time '24:00' is not a time from 00:00:00 to 23:59:59")]
    [InlineData(",23:59:60,", "overdue_cutoff_time '23:59:60' is not a time from 00:00:00 to 23:59:59")]
    [InlineData(",5pm,", "overdue_cutoff_time '5pm' is not a time from 00:00:00 to 23:59:59; write it as HH:mm")]
    [InlineData(",,0", "due_soon_threshold_days '0' is not a whole number from 1 to 30")]
    [InlineData(",,31", "due_soon_threshold_days '31' is not a whole number from 1 to 30")]
    [InlineData(",,four", "due_soon_threshold_days 'four' is not a whole number from 1 to 30")]
    public async Task A_wrong_setting_of_an_agency_is_named(string settings, string complaint)
    {
        var message = await database.FailToImportAsync(
            ImportKind.Agencies, AgencyHeader + $"{Id('a', 2)},Good,UTC,17:00,4\n{Id('a', 3)},Bad,{settings}\n");
        Assert.StartsWith($"line 3: {complaint}", message, StringComparison.Ordinal);
        Assert.EndsWith("\n1 error in file.csv; nothing was imported.", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("x,pending,10,2026-01-01", "id 'x' is not a uuid")]
    [InlineData("{id},payd,10,2026-01-01", "status 'payd' does not exist; did you mean 'paid'?")]
    [InlineData("{id},,10,2026-01-01", "status is empty.")]
    [InlineData("{id},pending,ten,2026-01-01", "amount 'ten' is not a number; write it like 1234.50")]
    [InlineData("{id},pending,-1,2026-01-01", "amount '-1' is negative")]
    [InlineData("{id},pending,1.234,2026-01-01", "amount '1.234' has more than 2 decimals")]
    [InlineData("{id},pending,10000000000,2026-01-01", "amount '10000000000' is more than 9999999999.99")]
    [InlineData("{id},pending,,2026-01-01", "amount is empty.")]
    [InlineData("{id},pending,10,01/02/2026", "student_due_date '01/02/2026' is not a date; write it as yyyy-MM-dd")]
    [InlineData("{id},pending,10,2026-02-30", "student_due_date '2026-02-30' is not a date")]
    [InlineData("{id},pending,10,2201-01-01", "student_due_date '2201-01-01' is not in the years 1900 to 2200")]
    [InlineData("{id},pending,10", "has 4 fields where the header has 5.")]
    [InlineData("{id},pend\"ing,10,2026-01-01", "a quote stands inside a field or is never closed")]
    [InlineData("{id},pending,10,\"2026-01-01", "a quote stands inside a field or is never closed")]
    public async Task A_wrong_installment_is_named(string line, string complaint)
    {
        var message = await database.FailToImportAsync(ImportKind.Installments,
            "payment_plan_id,id,status,amount,student_due_date\n"
            + $"{Id('b', 1)},{Id('c', 1)},paid,1,\n"
            + $"{Id('b', 1)},{line.Replace("{id}", Id('c', 2), StringComparison.Ordinal)}\n");
        Assert.StartsWith($"line 3: {complaint}", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("id,agency_id,stattus", "column 'stattus' is unknown; did you mean 'status'?")]
    [InlineData("id,agency_id,status,colour", "column 'colour' is unknown; there are id, agency_id, status.")]
    [InlineData("id,status", "column 'agency_id' is missing; the header has id,status.")]
    [InlineData("id,agency_id,status,id", "column 'id' is there twice.")]
    [InlineData("id;agency_id;status", "the columns are separated by ';'; separate them by ','.")]
    public async Task A_wrong_header_is_named(string header, string complaint)
    {
        var message = await database.FailToImportAsync(
            ImportKind.Plans, header + $"\n{Id('b', 2)},{Id('a', 1)},active\n");
        Assert.StartsWith($"line 1: {complaint}", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\uFEFF")]
    [InlineData("\r\n\r\n")]
    public async Task An_empty_file_is_told_its_header(string content)
    {
        Assert.Equal(
            "file.csv is empty; its first line must name the columns: id,agency_id,status. Nothing was imported.",
            await database.FailToImportAsync(ImportKind.Plans, content));
    }

    [Fact]
    public async Task Bytes_that_are_not_UTF8_are_named_by_cell()
    {
        var latin = Encoding.Latin1.GetBytes($"id,name\n{Id('a', 2)},Good\n{Id('a', 3)},Zürich\n");
        Assert.StartsWith(
            "line 3: name is not UTF-8; save the file as CSV (UTF-8).",
            await database.FailToImportAsync(ImportKind.Agencies, latin), StringComparison.Ordinal);
        var utf16 = Encoding.Unicode.GetPreamble().Concat(Encoding.Unicode.GetBytes("id,name\n")).ToArray();
        Assert.StartsWith(
            "line 1: the header is not CSV in UTF-8;",
            await database.FailToImportAsync(ImportKind.Agencies, utf16), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_are_not_blank_not_endless_and_hold_no_control_characters()
    {
        var message = await database.FailToImportAsync(ImportKind.Agencies,
            $"id,name\n{Id('a', 2)},\n{Id('a', 2)},\"  \"\n{Id('a', 3)},{new string('x', 501)}\n{Id('a', 4)},a\0b\n");
        Assert.Equal(
            $"""
            line 2: name is empty.
            line 3: name '  ' is blank
            line 4: name '{new string('x', 60)}…' is longer than 500 characters
            line 5: name 'a\u0000b' contains a control character (U+0000)
            4 errors in file.csv; nothing was imported.
            """,
            message);
    }

    [Fact]
    public async Task A_quote_that_is_never_closed_does_not_swallow_the_file()
    {
        var message = await database.FailToImportAsync(ImportKind.Agencies,
            $"id,name\n{Id('a', 2)},\"Open\n" + string.Concat(Enumerable.Repeat($"{Id('a', 2)},Other\n", 10_000)));
        Assert.StartsWith("line 2: is longer than any line of such a file; is there a quote", message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plan_of_an_unknown_agency_and_an_installment_of_an_unknown_plan_are_named()
    {
        Assert.StartsWith(
            $"line 3: agency_id '{Id('a', 9)}' is unknown: there is no such agency in the database; import the "
            + "agencies first.\n1 error",
            await database.FailToImportAsync(ImportKind.Plans,
                PlanHeader + $"{Id('b', 2)},{Id('a', 1)},active\n{Id('b', 3)},{Id('a', 9)},active\n"),
            StringComparison.Ordinal);
        Assert.StartsWith(
            $"line 2: payment_plan_id '{Id('b', 9)}' is unknown: there is no such plan",
            await database.FailToImportAsync(ImportKind.Installments,
                InstallmentHeader + $"{Id('c', 1)},{Id('b', 9)},1,,paid\n"),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_id_that_is_there_with_other_content_is_named_with_both()
    {
        await using var own = await ImportDatabase.CreateWithPlanAsync();
        await own.ImportAsync(
            ImportKind.Installments, InstallmentHeader + $"{Id('c', 1)},{Id('b', 1)},10,2026-01-01,pending\n");
        Assert.StartsWith(
            $"line 2: installment {Id('c', 1)} is already there with amount 10.00, not 12.00.\n",
            await own.FailToImportAsync(ImportKind.Installments,
                InstallmentHeader + $"{Id('c', 1)},{Id('b', 1)},12,2026-01-01,paid\n"),
            StringComparison.Ordinal);
        Assert.StartsWith(
            $"line 2: installment {Id('c', 1)} is already there with student_due_date 2026-01-01, not empty.\n",
            await own.FailToImportAsync(ImportKind.Installments,
                InstallmentHeader + $"{Id('c', 1)},{Id('b', 1)},10,,pending\n"),
            StringComparison.Ordinal);
        Assert.StartsWith(
            $"line 2: plan {Id('b', 1)} is already there with status 'active', not 'paused'.\n",
            await own.FailToImportAsync(ImportKind.Plans, PlanHeader + $"{Id('b', 1)},{Id('a', 1)},paused\n"),
            StringComparison.Ordinal);
        Assert.StartsWith(
            $"line 2: agency {Id('a', 1)} is already there with name 'First', not 'Other', and "
            + "timezone 'Australia/Brisbane', not 'UTC'.\n",
            await own.FailToImportAsync(ImportKind.Agencies, AgencyHeader + $"{Id('a', 1)},Other,UTC,,\n"),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_id_that_the_file_has_twice_with_other_content_is_named_with_both_lines()
    {
        var message = await database.FailToImportAsync(ImportKind.Installments, InstallmentHeader
            + $"{Id('c', 1)},{Id('b', 1)},1,,pending\n{Id('c', 2)},{Id('b', 1)},2,,paid\n"
            + $"{Id('c', 1).ToUpperInvariant()},{Id('b', 1)},1.00,,paid\n");
        Assert.Equal(
            $"line 4: installment {Id('c', 1)} is already in line 2 with status 'pending', not 'paid'.\n"
            + "1 error in file.csv; nothing was imported.",
            message);
    }

    [Fact]
    public async Task Of_ten_thousand_errors_the_first_twenty_are_shown_with_the_count()
    {
        var lines = Enumerable.Range(2, 10_000).Select(line => (line % 3) switch
        {
            0 => $"{Id('c', line)},{Id('b', 1)},-1,,paid\n",
            1 => $"{Id('c', line)},{Id('b', line)},1,,paid\n",
            _ => $"{Id('c', line)},{Id('b', 1)},1,,payd\n",
        });
        var message = await database.FailToImportAsync(
            ImportKind.Installments, InstallmentHeader + string.Concat(lines));
        var shown = message.Split('\n');
        Assert.Equal(21, shown.Length);
        Assert.Equal(
            Enumerable.Range(2, 20).Select(line => $"line {line}"), shown[..20].Select(error => error.Split(':')[0]));
        Assert.Equal("… and 9,980 more errors (10,000 in all); nothing was imported.", shown[20]);
    }
}
