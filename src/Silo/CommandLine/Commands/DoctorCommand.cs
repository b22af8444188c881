using System.CommandLine;
using Actors.Silo.Database;
using Actors.Silo.Doctor;
using Npgsql;

namespace Actors.Silo.CommandLine.Commands;

/// <summary>
/// `./actors doctor`: looks at database, schema, clocks, time zones and what the silos have left, one line each, and
/// says what needs a hand. It answers <see cref="ExitCode.DoctorFoundProblems"/> when there is a problem; warnings
/// alone answer 0.
/// </summary>
public static class DoctorCommand
{
    private const string Subject = "database";

    /// <param name="options">Which database.</param>
    /// <param name="time">The clock of this machine, which is compared with the database's.</param>
    public static Command Create(GlobalOptions options, TimeProvider time)
    {
        var command = new Command("doctor", "Check database, schema, clocks, time zones, agencies and silos, and say "
            + "what needs a hand. Changes nothing.");
        command.SetAction((arguments, cancellationToken) => RunAsync(options, arguments, time, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        GlobalOptions options, ParseResult arguments, TimeProvider time, CancellationToken cancellationToken)
    {
        var output = arguments.InvocationConfiguration.Output;
        IReadOnlyList<Finding> findings;
        try
        {
            await using var database = await CommandDatabase.OpenAsync(options, arguments, cancellationToken);
            findings =
            [
                await DescribeAsync(database, cancellationToken),
                .. await Checkup.RunAsync(database.OwnerConnectionString, time, cancellationToken),
            ];
        }
        catch (CommandFailure failure) when (failure.Code is ExitCode.DatabaseUnreachable
            or ExitCode.DatabaseUnsuitable or ExitCode.MissingRights)
        {
            findings = [Finding.Problem(Subject, failure.Message.ReplaceLineEndings(" "))];
        }

        foreach (var finding in findings) await output.WriteLineAsync(finding.ToString());
        var (problems, warnings) = (Count(findings, Severity.Problem), Count(findings, Severity.Warning));
        await output.WriteLineAsync(Summary(problems, warnings));
        return (int)(problems > 0 ? ExitCode.DoctorFoundProblems : ExitCode.Ok);
    }

    private static async Task<Finding> DescribeAsync(CommandDatabase database, CancellationToken cancellationToken)
    {
        var target = new NpgsqlConnectionStringBuilder(database.OwnerConnectionString) { Pooling = false };
        await using var connection = OwnConnection.To(target.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        var which = database.Embedded is { } embedded
            ? $"embedded in {embedded.Folder}, "
                + (embedded.IsServed ? "served by an `up`" : "not served by an `up` now")
            : $"named '{target.Database ?? target.Username}'";
        return Finding.Ok(
            Subject,
            FormattableString.Invariant(
                $"PostgreSQL {connection.PostgreSqlVersion} answers at {target.Host}:{target.Port}, {which}."));
    }

    private static int Count(IEnumerable<Finding> findings, Severity severity) =>
        findings.Count(finding => finding.Severity == severity);

    private static string Summary(int problems, int warnings) => (problems, warnings) switch
    {
        (0, 0) => "All is well.",
        (0, _) => $"Nothing is wrong; {Counted(warnings, "warning")}.",
        (_, 0) => $"{Counted(problems, "problem")}.",
        _ => $"{Counted(problems, "problem")}, {Counted(warnings, "warning")}.",
    };

    private static string Counted(int count, string word) => FormattableString.Invariant(
        $"{count} {word}{(count == 1 ? "" : "s")}");
}
