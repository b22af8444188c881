using System.Text;
using Actors.Silo.CommandLine;
using Actors.Silo.Database;
using Actors.Silo.Import;
using NodaTime;
using Npgsql;

namespace Actors.Silo.Sample;

/// <summary>Loads the sample into a database without agencies, by the import that real data takes.</summary>
public static class SampleLoader
{
    /// <summary>
    /// Loads all three files in one transaction, or does nothing where there is an agency already. Two that start at
    /// once load it once.
    /// </summary>
    /// <param name="connectionString">The owner of the tables.</param>
    /// <param name="now">The instant that the sample is made for, by the database's clock.</param>
    /// <param name="cancellationToken">Gives up; nothing is then loaded.</param>
    /// <returns>What was imported, in the order of the imports; null where there was an agency.</returns>
    /// <exception cref="CommandFailure">The database refuses; nothing was loaded.</exception>
    public static async Task<IReadOnlyList<ImportResult>?> LoadAsync(
        string connectionString, Instant now, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = OwnConnection.To(connectionString);
            await connection.OpenAsync(cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            if (await HasAgencyAsync(connection, cancellationToken)) return null;
            var results = await ImportAsync(connection, now, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return results;
        }
        catch (NpgsqlException error)
        {
            throw ImportFailure.From(error, "the sample's tables");
        }
    }

    private static async Task<IReadOnlyList<ImportResult>> ImportAsync(
        NpgsqlConnection connection, Instant now, CancellationToken cancellationToken)
    {
        var plans = await StatusColumn.OfPlansAsync(connection, cancellationToken);
        var installments = await StatusColumn.OfInstallmentsAsync(connection, cancellationToken);
        var sample = SampleData.Create(now, plans.Words, installments.Words);
        return
        [
            await RunAsync(ImportKind.Agencies, sample.Agencies),
            await RunAsync(ImportKind.Plans, sample.Plans),
            await RunAsync(ImportKind.Installments, sample.Installments),
        ];

        async Task<ImportResult> RunAsync(ImportKind kind, string csv)
        {
            using var stream = new MemoryStream(Encoding.UTF8.GetBytes(csv));
            return await CsvImport.RunAsync(connection, kind, stream, $"the sample of {kind}", cancellationToken);
        }
    }

    private static async Task<bool> HasAgencyAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using (var wait = new NpgsqlCommand(ImportSql.Begin, connection))
            await wait.ExecuteNonQueryAsync(cancellationToken);
        await using var ask = new NpgsqlCommand("SELECT EXISTS (SELECT FROM public.agencies)", connection);
        return (bool)(await ask.ExecuteScalarAsync(cancellationToken))!;
    }
}
