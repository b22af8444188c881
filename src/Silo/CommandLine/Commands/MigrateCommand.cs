using System.CommandLine;
using System.Globalization;
using Actors.Silo.Migrations;
using Npgsql;

namespace Actors.Silo.CommandLine.Commands;

/// <summary>
/// <c>./actors migrate up|down|status|verify [--to NNN]</c>: the schema of a database, forth and back.
/// </summary>
public static class MigrateCommand
{
    public static Command Create(GlobalOptions options)
    {
        var to = new Option<string?>("--to")
        {
            Description = "The last migration that shall be applied afterwards: 004/001, 004 for that whole domain, "
                + "or 0 for none. Default: up applies all, down takes back one.",
            HelpName = "NNN",
        };
        return new Command("migrate", "Brings the schema of the database to this version's, or back.")
        {
            Verb("up", "Apply what is not applied.", options, UpAsync, to),
            Verb("down", "Take back the last migration, or all after --to.", options, DownAsync, to),
            Verb("status", "Show every migration and whether it is applied.", options, StatusAsync),
            Verb("verify", "Check that everything the migrations made is there.", options, VerifyAsync),
        };
    }

    private static Command Verb(
        string name,
        string description,
        GlobalOptions options,
        Func<CommandDatabase, string?, TextWriter, CancellationToken, Task<ExitCode>> run,
        Option<string?>? to = null)
    {
        var command = new Command(name, description);
        if (to is not null) command.Options.Add(to);
        command.SetAction(async (arguments, cancellationToken) =>
        {
            await using var database = await CommandDatabase.OpenAsync(options, arguments, cancellationToken);
            var target = to is null ? null : arguments.GetValue(to);
            return (int)await run(database, target, arguments.InvocationConfiguration.Output, cancellationToken);
        });
        return command;
    }

    private static async Task<ExitCode> UpAsync(
        CommandDatabase database, string? to, TextWriter output, CancellationToken cancellationToken)
    {
        var runner = new MigrationRunner(database.OwnerConnectionString);
        var results = await runner.UpAsync(Target(to), cancellationToken);
        await WriteAsync(output, "applied", results);
        await output.WriteLineAsync(results.Count == 0
            ? "Nothing to apply."
            : Line($"{results.Count} applied."));
        await WarnOfUnknownZonesAsync(database, output, cancellationToken);
        return ExitCode.Ok;
    }

    private static async Task<ExitCode> DownAsync(
        CommandDatabase database, string? to, TextWriter output, CancellationToken cancellationToken)
    {
        var runner = new MigrationRunner(database.OwnerConnectionString);
        var results = await runner.DownAsync(Target(to), cancellationToken);
        await WriteAsync(output, "taken back", results);
        await output.WriteLineAsync(results.Count == 0
            ? "Nothing to take back."
            : Line($"{results.Count} taken back."));
        return ExitCode.Ok;
    }

    private static async Task<ExitCode> StatusAsync(
        CommandDatabase database, string? to, TextWriter output, CancellationToken cancellationToken)
    {
        var plan = await new MigrationRunner(database.OwnerConnectionString).InspectAsync(cancellationToken);
        foreach (var standing in plan.Standings)
        {
            var name = standing.Carried is { } carried
                ? $"{carried.Domain}/{carried.Name}"
                : standing.Applied!.Name;
            var applied = standing.Applied?.AppliedAt.ToString("uuuu-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
            var checksum = standing.State switch
            {
                MigrationState.Applied => "checksum ok",
                MigrationState.Edited => "checksum differs",
                MigrationState.Unknown => "not of this version",
                _ => "",
            };
            var state = standing.State.ToString().ToLowerInvariant();
            await output.WriteLineAsync(
                Line($"{standing.Id}  {state,-8}  {applied ?? "-",-20}  {name,-48}  {checksum}").TrimEnd());
        }

        await output.WriteLineAsync(plan.SchemaProblem ?? "The schema is this version's.");
        return plan.SchemaProblem is null ? ExitCode.Ok : ExitCode.SchemaMismatch;
    }

    private static async Task<ExitCode> VerifyAsync(
        CommandDatabase database, string? to, TextWriter output, CancellationToken cancellationToken)
    {
        var runner = new MigrationRunner(database.OwnerConnectionString);
        await runner.RequireCurrentAsync(cancellationToken);
        foreach (var file in await runner.VerifyAsync(cancellationToken))
            await output.WriteLineAsync($"{file.Path}  ok");
        return ExitCode.Ok;
    }

    private static MigrationId? Target(string? to) =>
        to is null ? null : MigrationPlan.ReadTarget(to, MigrationCatalogue.Embedded);

    private static async Task WriteAsync(TextWriter output, string verb, IReadOnlyList<MigrationResult> results)
    {
        foreach (var (migration, elapsed, warnings) in results)
        {
            await output.WriteLineAsync(Line(
                $"{migration.Id}  {verb} in {elapsed.TotalSeconds:0.00} s  {migration.Domain}/{migration.Name}"));
            foreach (var warning in warnings) await output.WriteLineAsync($"  warning: {warning}");
        }
    }

    private static async Task WarnOfUnknownZonesAsync(
        CommandDatabase database, TextWriter output, CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create(database.OwnerConnectionString);
        foreach (var zone in await ZoneInUse.UnknownToNodaTimeAsync(source, cancellationToken))
            await output.WriteLineAsync(
                Line($"  warning: time zone '{zone.Name}', used by {zone.Agencies} agencies, is unknown: ")
                + "they are not served until agencies.timezone is corrected.");
    }

    private static string Line(FormattableString text) => FormattableString.Invariant(text);
}
