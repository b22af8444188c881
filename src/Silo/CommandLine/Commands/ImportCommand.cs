using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Actors.Silo.Import;

namespace Actors.Silo.CommandLine.Commands;

/// <summary>`./actors import agencies|plans|installments FILE.csv`: all of the file, or nothing.</summary>
public static class ImportCommand
{
    private const string Rules =
        "CSV in UTF-8 with a header line; columns in any order. All or nothing: the first 20 errors are named by line, "
        + "with the count of all. A row whose id is there already with the same content counts as unchanged; with "
        + "other content it is an error: an import never changes what is there.";

    /// <summary>The command. It answers 0, or throws a <see cref="CommandFailure"/>.</summary>
    public static Command Create(GlobalOptions options) =>
        new("import", "Import agencies, plans or installments from a CSV file: all of it, or nothing.")
        {
            Of(options, ImportKind.Agencies,
                "Import id,name and optionally timezone,overdue_cutoff_time,due_soon_threshold_days. An empty cell "
                + "takes the database's default for a new agency (Australia/Brisbane, 17:00:00, 4) and asks for "
                + "nothing where the agency is there already. A zone must be known to NodaTime and to PostgreSQL; one "
                + "that is not supported yet is added. "),
            Of(options, ImportKind.Plans, "Import id,agency_id,status. The agencies must be there. "),
            Of(options, ImportKind.Installments,
                "Import id,payment_plan_id,amount,student_due_date,status. The plans must be there. An empty "
                + "student_due_date is never due. The status moves on by itself (pending, overdue, paid), so an "
                + "installment that is there already with another status counts as unchanged and keeps the one "
                + "it has. "),
        };

    private static Command Of(GlobalOptions options, ImportKind kind, string description)
    {
        var file = new Argument<string>("FILE.csv") { Description = "The file to import." };
        var command = new Command(kind.ToString().ToLowerInvariant(), description + Rules) { file };
        command.SetAction(async (arguments, cancellationToken) =>
        {
            var path = arguments.GetRequiredValue(file);
            await using var csv = Open(path);
            await using var database = await CommandDatabase.OpenAsync(options, arguments, cancellationToken);
            var start = Stopwatch.GetTimestamp();
            var result = await CsvImport.RunAsync(
                database.OwnerConnectionString, kind, csv, path, cancellationToken);
            var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            var output = arguments.InvocationConfiguration.Output;
            foreach (var line in result.Describe()) await output.WriteLineAsync(line);
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"Took {seconds:0.0} s."));
            return (int)ExitCode.Ok;
        });
        return command;
    }

    /// <summary>Opened before the database is, so that a mistyped name is said at once.</summary>
    private static FileStream Open(string path)
    {
        var reason = Directory.Exists(path) ? "it is a folder" : null;
        Exception? cause = null;
        try
        {
            if (reason is null)
            {
                return new FileStream(path, new FileStreamOptions
                {
                    Access = FileAccess.Read,
                    Share = FileShare.ReadWrite | FileShare.Delete,
                    Options = FileOptions.SequentialScan | FileOptions.Asynchronous,
                });
            }
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            (reason, cause) = ("there is no such file", failure);
        }
        catch (Exception failure) when (failure is UnauthorizedAccessException or IOException or ArgumentException)
        {
            (reason, cause) = (failure.Message, failure);
        }

        throw new CommandFailure(
            ExitCode.BadInput, $"{path} cannot be read: {reason.TrimEnd('.')}. Nothing was imported.", cause);
    }
}
