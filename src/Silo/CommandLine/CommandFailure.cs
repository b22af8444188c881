namespace Actors.Silo.CommandLine;

/// <summary>
/// A failure that a person can act on. Its message is one clear sentence: what happened, with which input, and what
/// to do. It is printed as it is, without a stack trace, and the process ends with <see cref="Code"/>.
/// </summary>
public sealed class CommandFailure : Exception
{
    public CommandFailure(ExitCode code, string message, Exception? innerException = null)
        : base(message, innerException) => Code = code;

    public ExitCode Code { get; }
}
