namespace Actors.Tests.Integration.Access;

/// <summary>Who is let in at an address; each word allows what the ones before it do not.</summary>
public enum Door
{
    /// <summary>Everybody, without a credential, and with any.</summary>
    Open,

    /// <summary>Every valid key and every good token.</summary>
    Known,

    /// <summary>Keys with `read` or `admin`, and every good token.</summary>
    Read,

    /// <summary>Keys with `trigger` or `admin`, and tokens of admins.</summary>
    Trigger,

    /// <summary>Keys with `admin`, and tokens of admins.</summary>
    Admin,
}

/// <summary>
/// Every endpoint of the API, with one request to it and what whoever is let in is answered. An endpoint that has no
/// line here fails <see cref="EndpointMatrixTests"/>.
/// </summary>
/// <param name="Method">`*` where the address answers to every method.</param>
/// <param name="Pattern">As it is routed, such as `/api/agencies/{id}/runs`.</param>
/// <param name="Door">Who is let in.</param>
/// <param name="Address">What is asked for, such as `/api/agencies/no-uuid/runs`.</param>
/// <param name="Status">The answer to whoever is let in.</param>
/// <param name="Body">JSON; null: none.</param>
/// <param name="AnswersInWordsOfItsOwn">True where errors are not problem details.</param>
public sealed record EndpointLine(
    string Method, string Pattern, Door Door, string Address, int Status, string? Body = null,
    bool AnswersInWordsOfItsOwn = false)
{
    public static readonly IReadOnlyList<EndpointLine> All =
    [
        new("*", "/health/live", Door.Open, "/health/live", 200),
        new("*", "/health/ready", Door.Open, "/health/ready", 200),
        new("POST", "/api/agencies/{id}/runs", Door.Trigger, "/api/agencies/no-uuid/runs", 404),
        new("POST", "/functions/v1/update-installment-statuses", Door.Trigger,
            "/functions/v1/update-installment-statuses", 200, AnswersInWordsOfItsOwn: true),
    ];

    public string Name => $"{Method} {Pattern}";
}
