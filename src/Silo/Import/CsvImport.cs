using Actors.Silo.CommandLine;
using Actors.Silo.Database;
using Npgsql;

namespace Actors.Silo.Import;

/// <summary>
/// Imports one CSV file: every line of it, or nothing. Rows that are there already stay as they are. The file is read
/// as a stream, so its size is bounded by the database and not by memory.
/// </summary>
public static class CsvImport
{
    /// <summary>Imports a file in a transaction of its own.</summary>
    /// <exception cref="CommandFailure">As for the other overload; nothing was imported.</exception>
    public static async Task<ImportResult> RunAsync(
        string connectionString, ImportKind kind, Stream csv, string file, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = OwnConnection.To(connectionString);
            await connection.OpenAsync(cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            var result = await RunAsync(connection, kind, csv, file, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return result;
        }
        catch (NpgsqlException error)
        {
            throw ImportFailure.From(error, TableOf(kind));
        }
    }

    /// <summary>Imports a file in the transaction that is open on the connection, which the caller commits.</summary>
    /// <param name="connection">Open, in a transaction.</param>
    /// <param name="kind">What the file holds.</param>
    /// <param name="csv">The file, read from where it stands to its end; not disposed.</param>
    /// <param name="file">What the errors call it.</param>
    /// <param name="cancellationToken">Gives up; the transaction is then to be rolled back.</param>
    /// <exception cref="CommandFailure">
    /// <see cref="ExitCode.BadInput"/>: the file is wrong, and the message names the first 20 lines that are. Other
    /// codes: the database refuses. The transaction must then be rolled back.
    /// </exception>
    public static async Task<ImportResult> RunAsync(
        NpgsqlConnection connection, ImportKind kind, Stream csv, string file, CancellationToken cancellationToken)
    {
        try
        {
            var table = await DescribeAsync(connection, kind, cancellationToken);
            var errors = new ImportErrors();
            using var records = await CsvFile.OpenAsync(csv, file, table.Columns, errors);
            errors.ThrowIfAny(file);
            var staging = new Staging(connection, table, cancellationToken);
            await staging.CreateAsync();
            await staging.CopyAsync(records);
            await staging.CheckAsync(errors);
            errors.ThrowIfAny(file);
            return await MergeAsync(staging, kind);
        }
        catch (NpgsqlException error)
        {
            throw ImportFailure.From(error, TableOf(kind));
        }
        catch (IOException error)
        {
            throw new CommandFailure(
                ExitCode.BadInput,
                $"{file} could not be read to its end: {error.Message} Nothing was imported.",
                error);
        }
    }

    private static async Task<ImportResult> MergeAsync(Staging staging, ImportKind kind)
    {
        var repeated = await staging.DropRepeatedAsync();
        var (there, statusKept) = await staging.DropThereAsync();
        var zones = kind == ImportKind.Agencies ? await staging.AddZonesAsync() : [];
        var inserted = await staging.InsertAsync();
        if (inserted > 0) await staging.AnalyzeAsync();
        return new ImportResult(kind, inserted, there, statusKept, repeated, zones);
    }

    private static async Task<ImportTable> DescribeAsync(
        NpgsqlConnection connection, ImportKind kind, CancellationToken cancellationToken) => kind switch
    {
        ImportKind.Agencies => ImportTable.Agencies(
            await AgencySettings.ZoneRuleAsync(connection, cancellationToken),
            await AgencySettings.DefaultsAsync(connection, cancellationToken)),
        ImportKind.Plans => ImportTable.Plans(await StatusColumn.OfPlansAsync(connection, cancellationToken)),
        _ => ImportTable.Installments(await StatusColumn.OfInstallmentsAsync(connection, cancellationToken)),
    };

    private static string TableOf(ImportKind kind) => kind switch
    {
        ImportKind.Agencies => "public.agencies",
        ImportKind.Plans => "public.payment_plans",
        _ => "public.installments",
    };
}
