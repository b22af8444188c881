using Actors.Silo.CommandLine;
using Actors.Silo.Migrations;

namespace Actors.Silo.Doctor;

/// <summary>Whether the schema is this version's, and everything that the migrations made is still there.</summary>
internal static class SchemaCheck
{
    private const string Subject = "schema";

    public static async Task<Finding> RunAsync(string connectionString, CancellationToken cancellationToken)
    {
        var runner = new MigrationRunner(connectionString);
        MigrationPlan plan;
        try
        {
            plan = await runner.InspectAsync(cancellationToken);
        }
        catch (CommandFailure failure) when (failure.Code == ExitCode.MissingRights)
        {
            return Finding.Problem(Subject, OneLine(failure.Message));
        }

        if (plan.SchemaProblem is { } problem) return Finding.Problem(Subject, problem);
        var last = $"This version's, {plan.Standings.Count} migrations up to {plan.Standings[^1].Id}";
        try
        {
            await runner.VerifyAsync(cancellationToken);
            return Finding.Ok(Subject, $"{last}; everything that they made is there.");
        }
        catch (CommandFailure failure) when (failure.Code == ExitCode.MissingRights)
        {
            return Finding.Warning(
                Subject,
                $"{last}; this login may not look whether everything that they made is there: run ./actors migrate "
                + "verify as the owner of the database.");
        }
        catch (CommandFailure failure) when (failure.Code == ExitCode.SchemaMismatch)
        {
            return Finding.Problem(
                Subject,
                $"{OneLine(failure.Message)} Somebody removed or changed it by hand: restore it from the file in sql/ "
                + "that makes it, then run ./actors migrate verify.");
        }
    }

    private static string OneLine(string text) =>
        string.Join("; ", text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
}
