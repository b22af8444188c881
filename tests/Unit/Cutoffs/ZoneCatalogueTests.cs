using Actors.Grains.Cutoffs;
using Xunit;

namespace Actors.Tests.Unit.Cutoffs;

public sealed class ZoneCatalogueTests
{
    [Theory]
    [InlineData("Australia/Brisbane")]
    [InlineData("UTC")]
    [InlineData("Etc/UTC")]
    [InlineData("Europe/Kiev")]
    [InlineData("Europe/Kyiv")]
    public void A_zone_is_found_by_its_name_or_alias(string name) => Assert.Equal(name, ZoneCatalogue.Find(name)?.Id);

    [Theory]
    [InlineData("")]
    [InlineData("Australia/Brisbame")]
    [InlineData("australia/brisbane")]
    [InlineData("America/Honolulu")]
    [InlineData("AEST")]
    public void What_the_tz_database_does_not_name_is_no_zone(string name) => Assert.Null(ZoneCatalogue.Find(name));

    [Theory]
    [InlineData("UTC+10")]
    [InlineData("UTC+05:30")]
    public void A_made_up_offset_is_no_zone_since_PostgreSQL_reads_its_sign_the_other_way(string name) =>
        Assert.Null(ZoneCatalogue.Find(name));

    [Fact]
    public void Every_name_can_be_found()
    {
        Assert.All(ZoneCatalogue.Names, name => Assert.NotNull(ZoneCatalogue.Find(name)));
        Assert.True(ZoneCatalogue.Names.Count() > 500);
    }

    [Fact]
    public void The_release_is_a_year_and_a_letter() => Assert.Matches("^20[0-9]{2}[a-z]$", ZoneCatalogue.TzdbVersion);
}
