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
        new("GET", "/openapi/{documentName}.json", Door.Open, "/openapi/v1.json", 200),
        new("GET", "/docs/{documentName?}", Door.Open, "/docs", 200),
        new("GET", "/docs/favicon.svg", Door.Open, "/docs/favicon.svg", 200),
        new("GET", "/docs/scalar.js", Door.Open, "/docs/scalar.js", 200),
        new("GET", "/docs/scalar.aspnetcore.js", Door.Open, "/docs/scalar.aspnetcore.js", 200),
        new("GET", "/api/agencies", Door.Read, "/api/agencies", 200),
        new("POST", "/api/agencies", Door.Admin, "/api/agencies", 400, "{}"),
        new("GET", "/api/agencies/{id}", Door.Read, "/api/agencies/no-uuid", 404),
        new("PATCH", "/api/agencies/{id}", Door.Admin, "/api/agencies/no-uuid", 404, "{}"),
        new("POST", "/api/agencies/{id}/pause", Door.Admin, "/api/agencies/no-uuid/pause", 404, Reason),
        new("POST", "/api/agencies/{id}/resume", Door.Admin, "/api/agencies/no-uuid/resume", 404, Reason),
        new("GET", "/api/agencies/{id}/preview", Door.Read, "/api/agencies/no-uuid/preview", 404),
        new("GET", "/api/agencies/{id}/history", Door.Read, "/api/agencies/no-uuid/history", 404),
        new("POST", "/api/agencies/{id}/runs", Door.Trigger, "/api/agencies/no-uuid/runs", 404),
        new("GET", "/api/agencies/{id}/installments", Door.Read, "/api/agencies/no-uuid/installments", 404),
        new("GET", "/api/installments/due-soon", Door.Read, "/api/installments/due-soon", 200),
        new("GET", "/api/installments/overdue", Door.Read, "/api/installments/overdue", 200),
        new("GET", "/api/installments/totals", Door.Read, "/api/installments/totals", 200),
        new("GET", "/api/installments/{id}/explain", Door.Read, "/api/installments/no-uuid/explain", 404),
        new("POST", "/api/runs", Door.Trigger, "/api/runs", 400, """{"reason":7}"""),
        new("GET", "/api/runs/{id}", Door.Known, "/api/runs/no-uuid", 404),
        new("POST", "/api/agency-runs/{id}/undo", Door.Admin, "/api/agency-runs/no-uuid/undo", 404, Reason),
        new("GET", "/api/jobs", Door.Read, "/api/jobs", 200),
        new("GET", "/api/jobs/{id}", Door.Read, "/api/jobs/no-uuid", 404),
        new("GET", "/api/jobs/{id}/agencies", Door.Read, "/api/jobs/no-uuid/agencies", 404),
        new("GET", "/api/alerts", Door.Read, "/api/alerts", 200),
        new("GET", "/api/alerts/{id}", Door.Read, "/api/alerts/no-uuid", 404),
        new("POST", "/api/alerts/{id}/acknowledge", Door.Admin, "/api/alerts/no-uuid/acknowledge", 404, "{}"),
        new("GET", "/api/events", Door.Read, "/api/events?since=none", 400),
        new("POST", "/functions/v1/update-installment-statuses", Door.Trigger,
            "/functions/v1/update-installment-statuses", 200, AnswersInWordsOfItsOwn: true),
    ];

    private const string Reason = """{"reason":"A test"}""";

    public string Name => $"{Method} {Pattern}";
}
