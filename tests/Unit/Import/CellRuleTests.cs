using Actors.Silo.Import;
using NodaTime;
using Xunit;

namespace Actors.Tests.Unit.Import;

public sealed class CellRuleTests
{
    [Theory]
    [InlineData("0", true)]
    [InlineData("0.00", true)]
    [InlineData("1234.5", true)]
    [InlineData(".5", true)]
    [InlineData("9999999999.99", true)]
    [InlineData("00000000000000000000000000000000001.00", true)]
    [InlineData("10000000000", false, "is more than 9999999999.99")]
    [InlineData("99999999999999999999999999999999999999", false, "is more than 9999999999.99")]
    [InlineData("1.000", false, "has more than 2 decimals")]
    [InlineData("-0.01", false, "is negative")]
    [InlineData("1,000.00", false, "is not a number; write it like 1234.50")]
    [InlineData("1e3", false, "is not a number; write it like 1234.50")]
    [InlineData("NaN", false, "is not a number; write it like 1234.50")]
    [InlineData(".", false, "is not a number; write it like 1234.50")]
    [InlineData("5\0", false, "is not a number; write it like 1234.50")]
    [InlineData(" 5", false, "is not a number; write it like 1234.50")]
    public void An_amount_is_what_numeric_12_2_holds_from_zero_on(string value, bool isGood, string? complaint = null)
    {
        Assert.Equal(isGood, CellRule.Amount.Accepts(value));
        if (!isGood) Assert.Equal(complaint, CellRule.Amount.Complaint(value));
    }

    [Theory]
    [InlineData("a0000000-0000-4000-8000-00000000000F", true)]
    [InlineData("{a0000000-0000-4000-8000-000000000001}", false)]
    [InlineData("a0000000000040008000000000000001", false)]
    [InlineData("a0000000-0000-4000-8000-00000000000g", false)]
    [InlineData("0xa00000-0000-4000-8000-000000000001", false)]
    public void A_uuid_has_its_hyphens_and_nothing_else(string value, bool isGood) =>
        Assert.Equal(isGood, CellRule.Uuid.Accepts(value));

    [Theory]
    [InlineData("1900-01-01", true)]
    [InlineData("2200-12-31", true)]
    [InlineData("1899-12-31", false)]
    [InlineData("2201-01-01", false)]
    [InlineData("2026-02-29", false)]
    [InlineData("2024-02-29", true)]
    [InlineData("2026-1-1", false)]
    [InlineData("2026-01-01T00:00", false)]
    public void A_date_is_ISO_in_the_years_1900_to_2200(string value, bool isGood) =>
        Assert.Equal(isGood, CellRule.Date.Accepts(value));

    [Theory]
    [InlineData("00:00", true)]
    [InlineData("23:59:59", true)]
    [InlineData("24:00", false)]
    [InlineData("9:00", false)]
    [InlineData("17:00:00.5", false)]
    [InlineData("5 pm", false)]
    public void A_cutoff_time_has_hours_minutes_and_maybe_seconds(string value, bool isGood) =>
        Assert.Equal(isGood, CellRule.CutoffTime.Accepts(value));

    [Theory]
    [InlineData("1", true)]
    [InlineData("30", true)]
    [InlineData("0", false)]
    [InlineData("31", false)]
    [InlineData("4.", false)]
    [InlineData("04", true)]
    [InlineData("4.5", false)]
    [InlineData("-4", false)]
    public void Due_soon_days_are_1_to_30(string value, bool isGood) =>
        Assert.Equal(isGood, CellRule.DueSoonDays.Accepts(value));

    [Fact]
    public void A_zone_is_taken_where_both_know_it_and_otherwise_told_who_does_not()
    {
        var rule = AgencySettings.ZoneRule(
            DateTimeZoneProviders.Tzdb, new HashSet<string> { "Asia/Tokyo", "Australia/Brisbane", "Mars/Olympus" });
        Assert.True(rule.Accepts("Asia/Tokyo"));
        Assert.False(rule.Accepts("Europe/Paris"));
        Assert.Equal(
            "is unknown to this PostgreSQL, whose time zone data may be older", rule.Complaint("Europe/Paris"));
        Assert.StartsWith(
            "is known to PostgreSQL only, and not to TZDB", rule.Complaint("Mars/Olympus"), StringComparison.Ordinal);
        Assert.Equal("is unknown; did you mean 'Australia/Brisbane'?", rule.Complaint("Australia/Brisbame"));
    }
}
