using Actors.Silo.CommandLine;

namespace Actors.Silo.Hosting;

/// <summary>
/// What becomes of a silo that may not go on: the others have declared it dead, since it was frozen, or cut off from
/// them or from the database, for too long, and have its agencies now. The process ends at once, with one sentence and
/// an exit code of its own, so that whoever keeps it running starts it anew. What it had begun is committed or rolled
/// back, as by a kill.
/// </summary>
internal sealed class SiloEnd : IFatalErrorHandler
{
    public bool IsUnexpected(Exception exception) => true;

    public void OnFatalException(object? sender, string? context, Exception? exception)
    {
        var isExpelled = context?.Contains("told I am dead", StringComparison.Ordinal) == true;
        // Not through the log, whose queue would not be written any more.
        Console.Error.WriteLine(isExpelled
            ? "The other silos have declared this one dead, as when it was frozen, or cut off from them or from the "
                + "database: it ends. Nothing is lost; start it again."
            : $"The silo cannot go on: {context} {exception}");
        Environment.Exit((int)(isExpelled ? ExitCode.Expelled : ExitCode.Unexpected));
    }
}
