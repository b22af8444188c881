using Actors.Silo.CommandLine;
using Actors.Silo.Database;
using Xunit;

namespace Actors.Tests.Unit.Database;

public sealed class PostgresInstallationTests
{
    [Theory]
    [InlineData("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", 15)]
    [InlineData("postgres (PostgreSQL) 17.6", 17)]
    [InlineData("postgres (PostgreSQL) 18beta2", 18)]
    [InlineData("postgres (PostgreSQL) 9.6.24", 9)]
    [InlineData("something else", null)]
    public void The_major_version_is_read_from_what_postgres_prints(string line, int? major) =>
        Assert.Equal(major, PostgresInstallation.MajorIn(line));

    [Fact]
    public void The_newest_of_15_or_later_is_taken()
    {
        PostgresInstallation[] installed = [new("/c", 17), new("/b", 15), new("/a", 14)];

        Assert.Equal(17, PostgresInstallation.NewestUsable(installed)?.Major);
        Assert.Null(PostgresInstallation.NewestUsable(installed[2..]));
    }

    [Theory]
    [InlineData("NAME=\"Debian GNU/Linux\"\nID=debian\n", false, "sudo apt-get install -y postgresql")]
    [InlineData("ID=debian\n", true, "apt-get install -y postgresql")]
    [InlineData("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", true, "apt-get install -y postgresql")]
    [InlineData("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", true, "dnf install -y postgresql-server")]
    [InlineData("ID=alpine\n", true, "apk add postgresql")]
    [InlineData("ID=arch\n", true, "pacman -S --noconfirm postgresql")]
    [InlineData("ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n", true, "zypper install -y postgresql-server")]
    public void The_command_that_installs_it_is_the_systems_own(string osRelease, bool isRoot, string command) =>
        Assert.Equal(command, PostgresInstaller.CommandFor(osRelease, isRoot));

    [Theory]
    [InlineData(140012, "14.12", false, false, "15 or later")]
    [InlineData(90624, "9.6.24", false, false, "15 or later")]
    [InlineData(150000, "15.0", true, true, "standby")]
    [InlineData(180001, "18.1", false, true, "read-only")]
    public void A_server_that_is_too_old_or_only_readable_is_refused(
        int number, string version, bool isStandby, bool isReadOnly, string why)
    {
        var refusal = DatabaseProbe.Refusal("The database", number, version, isStandby, isReadOnly);

        Assert.Equal(ExitCode.DatabaseUnsuitable, refusal?.Code);
        Assert.Contains(why, refusal!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(150000)]
    [InlineData(180001)]
    public void A_server_of_15_or_later_that_can_be_written_is_taken(int number) =>
        Assert.Null(DatabaseProbe.Refusal("The database", number, "", isStandby: false, isReadOnly: false));
}
