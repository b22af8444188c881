using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Npgsql;

namespace Actors.Silo.Hosting;

/// <summary>
/// One line for each event: when (UTC), how bad, what. Our own sentences say what they are about; of other programs'
/// the category is named too. What belongs to a request ends with its trace id, which the request's answer names where
/// it failed. An exception follows on lines of its own, unless it is the database's: where in the code that was met
/// helps nobody, and while a database is away there are many of them.
/// </summary>
internal sealed class LineFormatter(TimeProvider time) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "line";

    public override void Write<TState>(
        in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var source = logEntry.Category.StartsWith("Actors.", StringComparison.Ordinal) ? "" : $"{logEntry.Category}: ";
        var message = logEntry.Formatter(logEntry.State, logEntry.Exception).ReplaceLineEndings(" ");
        var cause = logEntry.Exception?.GetBaseException() is NpgsqlException or SocketException or OrleansException
            ? $" ({logEntry.Exception.Message.ReplaceLineEndings(" ")})"
            : "";
        var trace = Activity.Current is { } activity ? $" trace={activity.TraceId}" : "";
        var at = time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        textWriter.WriteLine($"{at} {Word(logEntry.LogLevel)} {source}{message}{cause}{trace}");
        if (cause.Length == 0 && logEntry.Exception is { } exception) textWriter.WriteLine(exception.ToString());
    }

    private static string Word(LogLevel level) => level switch
    {
        LogLevel.Warning => "warn ",
        LogLevel.Error or LogLevel.Critical => "error",
        _ => "info ",
    };
}
