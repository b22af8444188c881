namespace Actors.Silo.Doctor;

/// <summary>How bad a finding is.</summary>
public enum Severity
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>Nothing is wrong yet; somebody should know.</summary>
    Warning,

    /// <summary>Cutoffs are, or will be, served late, wrongly or not at all until somebody acts.</summary>
    Problem,
}

/// <summary>One line of the doctor's report.</summary>
/// <param name="Severity">How bad it is.</param>
/// <param name="Subject">What was looked at, in one or two words.</param>
/// <param name="Sentence">What was found and, unless it is fine, what to do; without line breaks.</param>
public sealed record Finding(Severity Severity, string Subject, string Sentence)
{
    public static Finding Ok(string subject, string sentence) => new(Severity.Ok, subject, sentence);

    public static Finding Warning(string subject, string sentence) => new(Severity.Warning, subject, sentence);

    public static Finding Problem(string subject, string sentence) => new(Severity.Problem, subject, sentence);

    /// <summary>As it is printed: severity and subject in columns.</summary>
    public override string ToString() =>
        $"{Severity.ToString().ToLowerInvariant(),-7}  {Subject,-10}  {Sentence}";
}
