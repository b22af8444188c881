using Actors.Tests.Simulation.Oracle;
using Actors.Tests.Simulation.Wire;
using NodaTime;
using Npgsql;

namespace Actors.Tests.Simulation.Application;

/// <summary>
/// The application's own connection. It never waits for locked rows: whoever finds some locked comes again later.
/// </summary>
internal sealed class Bureau : IDisposable
{
    private readonly NpgsqlDataSource _source;
    private readonly NpgsqlConnection _connection;
    private readonly AuditTrail _audit;
    private readonly List<string> _told = [];

    public Bureau(string ownerConnectionString, AuditTrail audit)
    {
        _audit = audit;
        var builder = new NpgsqlDataSourceBuilder(ownerConnectionString);
        // Whoever holds a row lets it go only when the world goes on, so a longer wait is in vain. What is asked again
        // and again is planned once, and leaves nothing behind that would have to be reset.
        builder.ConnectionStringBuilder.Options = $"-c lock_timeout=2ms -c {ServerEnd.PlanOnce}";
        builder.ConnectionStringBuilder.MaxAutoPrepare = 50;
        builder.ConnectionStringBuilder.NoResetOnClose = true;
        builder.UseNodaTime();
        _source = builder.Build();
        _connection = _source.OpenConnection();
        _connection.Notice += (_, said) =>
        {
            if (said.Notice.MessageText.StartsWith(AuditTrail.Notice, StringComparison.Ordinal))
                _told.Add(said.Notice.MessageText[AuditTrail.Notice.Length..]);
        };
    }

    public int Pid => _connection.ProcessID;

    public static object OrNull(object? value) => value ?? DBNull.Value;

    /// <summary>
    /// Runs statements in one transaction, with the same parameters. False when somebody holds a row of theirs.
    /// </summary>
    public bool Try(string[] statements, params (string Name, object Value)[] parameters)
    {
        using var batch = new NpgsqlBatch(_connection);
        foreach (var sql in statements) batch.BatchCommands.Add(Command(sql, parameters));
        return Answer(() => batch.ExecuteNonQuery()) is not null;
    }

    /// <summary>What a function answers; null when it gave up, because somebody holds a row that it needs.</summary>
    public long? Call(string sql, Instant now)
    {
        using var command = new NpgsqlCommand(sql, _connection);
        command.Parameters.AddWithValue("now", now);
        return (long?)Answer(command.ExecuteScalar);
    }

    /// <summary>Begins a transaction that stays open; null when somebody holds a row of its.</summary>
    public SlowTransaction? Begin(string sql, params (string Name, object Value)[] parameters)
    {
        var connection = _source.OpenConnection();
        var transaction = connection.BeginTransaction();
        using var batch = new NpgsqlBatch(connection, transaction);
        batch.BatchCommands.Add(Command(sql, parameters));
        try
        {
            batch.ExecuteNonQuery();
            return new SlowTransaction(connection, transaction);
        }
        catch (PostgresException locked) when (locked.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            transaction.Dispose();
            connection.Dispose();
            return null;
        }
    }

    public void Dispose()
    {
        _connection.Dispose();
        _source.Dispose();
    }

    /// <summary>What was committed is taken down; null when somebody holds a row that is needed.</summary>
    private object? Answer(Func<object?> ask)
    {
        _told.Clear();
        try
        {
            var answer = ask();
            _audit.Add(Pid, _told);
            return answer;
        }
        catch (PostgresException locked) when (locked.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            return null;
        }
    }

    private static NpgsqlBatchCommand Command(string sql, (string Name, object Value)[] parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var (name, value) in parameters.Where(
            parameter => sql.Contains('@' + parameter.Name, StringComparison.Ordinal)))
            command.Parameters.AddWithValue(name, value);
        return command;
    }
}

/// <summary>A transaction of the application that takes its time: it holds rows while others want them.</summary>
internal sealed class SlowTransaction(NpgsqlConnection connection, NpgsqlTransaction transaction)
{
    public int Pid => connection.ProcessID;

    public void End(bool commits)
    {
        if (commits) transaction.Commit();
        else transaction.Rollback();
        transaction.Dispose();
        connection.Dispose();
    }
}
