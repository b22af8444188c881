using System.Diagnostics;
using System.Globalization;
using Actors.Silo.CommandLine;
using Actors.Silo.Database;
using Npgsql;

namespace Actors.Silo.Migrations;

/// <summary>How long the runner waits.</summary>
/// <param name="WaitForOther">For another migration of the same database to end.</param>
/// <param name="LockTimeout">For any single lock on a table, before the file is given up and rolled back.</param>
/// <param name="StatementTimeout">For any single statement, such as building an index on a large table.</param>
public sealed record MigrationWaits(TimeSpan WaitForOther, TimeSpan LockTimeout, TimeSpan StatementTimeout)
{
    public static MigrationWaits Default { get; } =
        new(TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(30));
}

/// <summary>A migration that was run.</summary>
/// <param name="Warnings">What it found worth telling a person, one sentence each.</param>
public sealed record MigrationResult(Migration Migration, TimeSpan Elapsed, IReadOnlyList<string> Warnings);

/// <summary>
/// Brings a database's schema to this version's, and back. Each migration is one transaction. A whole run stands under
/// an advisory lock on a connection of its own, so that of two silos that start at once the second waits, and then
/// finds nothing to do. It needs a direct connection (no pgbouncer in transaction mode), and no superuser: the
/// database's owner with CREATEROLE, or without it where the roles exist.
/// All failures are <see cref="CommandFailure"/>s, and what was applied before a failure stays.
/// </summary>
public sealed class MigrationRunner
{
    /// <summary>
    /// "ACTORS" in ASCII: advisory locks belong to a database, and are told apart by nothing but a number.
    /// </summary>
    internal const long AdvisoryLock = 0x4143_544F_5253;

    private readonly MigrationCatalogue catalogue;
    private readonly MigrationWaits waits;
    private readonly NpgsqlConnectionStringBuilder connectionString;

    /// <param name="connectionString">An Npgsql connection string; of the owner for all but
    /// RequireCurrentAsync.</param>
    /// <param name="catalogue">What this version carries; by default what the silo's assembly embeds.</param>
    public MigrationRunner(string connectionString, MigrationCatalogue? catalogue = null, MigrationWaits? waits = null)
    {
        this.catalogue = catalogue ?? MigrationCatalogue.Embedded;
        this.waits = waits ?? MigrationWaits.Default;

        // The server bounds each statement; Npgsql's own 30 s would end an index build in the middle.
        this.connectionString = new NpgsqlConnectionStringBuilder(connectionString)
        {
            ApplicationName = "actors migrate",
            CommandTimeout = 0,
            KeepAlive = 30,
            Pooling = false,
        };
    }

    /// <summary>Applies what is not applied, up to and including <paramref name="to"/>; all of it by default.</summary>
    /// <returns>What ran, in order; empty when the schema was there already.</returns>
    public Task<IReadOnlyList<MigrationResult>> UpAsync(
        MigrationId? to = null, CancellationToken cancellationToken = default) =>
        RunAsync(plan => plan.Up(to), isUp: true, cancellationToken);

    /// <summary>
    /// Takes back everything after <paramref name="to"/>, last applied first; one step by default. What was in the
    /// database before a migration is there afterwards; rows of tables that a migration made are lost.
    /// </summary>
    public Task<IReadOnlyList<MigrationResult>> DownAsync(
        MigrationId? to = null, CancellationToken cancellationToken = default) =>
        RunAsync(plan => plan.Down(to), isUp: false, cancellationToken);

    /// <summary>How every migration stands, in the order of ids. Reads only, and waits for nobody.</summary>
    public async Task<MigrationPlan> InspectAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            await using var connection = await ConnectAsync(cancellationToken);
            return await PlanAsync(connection, cancellationToken);
        }
        catch (NpgsqlException error)
        {
            throw MigrationFailure.From(error, connectionString, place: null);
        }
    }

    /// <summary>For a silo's start, as its own login: the schema must be exactly this version's.</summary>
    /// <exception cref="CommandFailure">It is behind, ahead or edited; the message names the command to
    /// run.</exception>
    public async Task RequireCurrentAsync(CancellationToken cancellationToken = default)
    {
        var plan = await InspectAsync(cancellationToken);
        if (plan.SchemaProblem is { } problem) throw new CommandFailure(ExitCode.SchemaMismatch, problem);
    }

    /// <summary>
    /// Runs verify.sql of each domain that is applied in full; each raises when something is missing.
    /// </summary>
    /// <returns>The files that were run.</returns>
    /// <exception cref="CommandFailure">Something is missing; the message lists all of it for that domain.</exception>
    public async Task<IReadOnlyList<SqlFile>> VerifyAsync(CancellationToken cancellationToken = default)
    {
        var files = (await InspectAsync(cancellationToken)).Verifiable();
        await using var connection = await ConnectOrFailAsync(cancellationToken);
        foreach (var file in files)
        {
            await using var transaction = await BeginAsync(connection, cancellationToken);
            await ExecuteAsync(connection, file, cancellationToken);
            await transaction.RollbackAsync(cancellationToken);
        }

        return files;
    }

    private async Task<IReadOnlyList<MigrationResult>> RunAsync(
        Func<MigrationPlan, IReadOnlyList<Migration>> choose, bool isUp, CancellationToken cancellationToken)
    {
        await using var lockHolder = await ConnectOrFailAsync(cancellationToken);
        await WaitForOthersAsync(lockHolder, cancellationToken);
        await using var connection = await ConnectOrFailAsync(cancellationToken);
        var steps = choose(await PlanOrFailAsync(connection, cancellationToken));
        var results = new List<MigrationResult>();
        foreach (var step in steps)
        {
            try
            {
                results.Add(await RunStepAsync(connection, step, isUp, results.Count == 0, cancellationToken));
            }
            catch (CommandFailure failure) when (results.Count > 0)
            {
                var done = string.Join(", ", results.Select(result => result.Migration.Id));
                throw new CommandFailure(
                    failure.Code,
                    $"{failure.Message} ({(isUp ? "Applied" : "Taken back")} before it: {done}.)",
                    failure);
            }
        }

        return results;
    }

    private async Task<MigrationResult> RunStepAsync(
        NpgsqlConnection connection, Migration step, bool isUp, bool isFirst, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var warnings = new List<string>();
        void Collect(object _, NpgsqlNoticeEventArgs arguments)
        {
            if (arguments.Notice.InvariantSeverity == "WARNING") warnings.Add(arguments.Notice.MessageText);
        }

        connection.Notice += Collect;
        try
        {
            await using var transaction = await BeginAsync(connection, cancellationToken);
            if (isFirst) await MigrationHistory.PrepareAsync(connection, cancellationToken);
            await NameMigrationAsync(connection, step, cancellationToken);
            if (isUp) await MigrationHistory.AddAsync(connection, step, cancellationToken);
            await ExecuteAsync(connection, isUp ? step.Up : step.Down, cancellationToken);
            if (!isUp) await MigrationHistory.RemoveAsync(connection, step, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return new MigrationResult(step, Stopwatch.GetElapsedTime(started), warnings);
        }
        catch (NpgsqlException error)
        {
            throw MigrationFailure.From(error, connectionString, (isUp ? step.Up : step.Down).Path);
        }
        finally
        {
            connection.Notice -= Collect;
        }
    }

    private async Task ExecuteAsync(NpgsqlConnection connection, SqlFile file, CancellationToken cancellationToken)
    {
        foreach (var statement in SqlStatement.Split(file.Text.ReplaceLineEndings("\n")))
        {
            try
            {
                await using var command = new NpgsqlCommand(statement.Text, connection);
                await command.ExecuteNonQueryAsync(cancellationToken);
            }
            catch (NpgsqlException error)
            {
                var line = statement.LineAt(error is PostgresException refused ? refused.Position : 0);
                throw MigrationFailure.From(
                    error, connectionString, string.Create(CultureInfo.InvariantCulture, $"{file.Path}:{line}"));
            }
        }
    }

    private async Task WaitForOthersAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            await using var command = new NpgsqlCommand(
                $"SET idle_session_timeout = 0; SET statement_timeout = 0; "
                + $"SET lock_timeout = {Milliseconds(waits.WaitForOther)}; "
                + $"SELECT pg_advisory_lock({AdvisoryLock})",
                connection);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            throw MigrationFailure.StillWaiting(waits.WaitForOther, connectionString);
        }
        catch (NpgsqlException error)
        {
            throw MigrationFailure.From(error, connectionString, place: null);
        }
    }

    // Whatever the login's or the database's settings are, the files run under the same ones everywhere.
    private async Task<NpgsqlTransaction> BeginAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(
            $"SET LOCAL lock_timeout = {Milliseconds(waits.LockTimeout)}; "
            + $"SET LOCAL statement_timeout = {Milliseconds(waits.StatementTimeout)}; "
            + "SET LOCAL idle_in_transaction_session_timeout = 0; "
            + "SET LOCAL search_path = public, pg_temp; "
            + "SET LOCAL standard_conforming_strings = on; "
            + "SET LOCAL client_min_messages = warning",
            connection,
            transaction);
        await command.ExecuteNonQueryAsync(cancellationToken);
        return transaction;
    }

    private static async Task NameMigrationAsync(
        NpgsqlConnection connection, Migration step, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"SET LOCAL actors.migration = '{step.Id}'", connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<NpgsqlConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        var connection = OwnConnection.To(connectionString.ConnectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            if (connection.PostgreSqlVersion.Major < 15) throw MigrationFailure.TooOld(connection.PostgreSqlVersion);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private async Task<NpgsqlConnection> ConnectOrFailAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await ConnectAsync(cancellationToken);
        }
        catch (NpgsqlException error)
        {
            throw MigrationFailure.From(error, connectionString, place: null);
        }
    }

    private async Task<MigrationPlan> PlanOrFailAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            return await PlanAsync(connection, cancellationToken);
        }
        catch (NpgsqlException error)
        {
            throw MigrationFailure.From(error, connectionString, place: null);
        }
    }

    private async Task<MigrationPlan> PlanAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        new(catalogue, await MigrationHistory.ReadAsync(connection, cancellationToken));

    private static string Milliseconds(TimeSpan wait) =>
        ((long)wait.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
}
