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
/// <param name="Address">
/// What is asked for, such as `/api/agencies/{agency}/runs`; the names are those of <see cref="AccessWorld"/>.
/// </param>
/// <param name="Status">The answer to whoever is let in, and sees what is asked for.</param>
/// <param name="Body">JSON; null: none.</param>
/// <param name="AnswersInWordsOfItsOwn">True where errors are not problem details.</param>
public sealed record EndpointLine(
    string Method, string Pattern, Door Door, string Address, int Status, string? Body = null,
    bool AnswersInWordsOfItsOwn = false)
{
    /// <summary>True where the answer to whoever is let in and sees no rows is that there is nothing: 404.</summary>
    public bool ShowsARow { get; init; }

    /// <summary>True where the settings of an agency are written, which a service's role may not.</summary>
    public bool WritesAnAgency { get; init; }

    public static readonly IReadOnlyList<EndpointLine> All =
    [
        new("*", "/health/live", Door.Open, "/health/live", 200),
        new("*", "/health/ready", Door.Open, "/health/ready", 200),
        new("*", "/metrics", Door.Open, "/metrics", 200),
        new("GET", "/openapi/{documentName}.json", Door.Open, "/openapi/v1.json", 200),
        new("GET", "/docs/{documentName?}", Door.Open, "/docs", 200),
        new("GET", "/docs/favicon.svg", Door.Open, "/docs/favicon.svg", 200),
        new("GET", "/docs/scalar.js", Door.Open, "/docs/scalar.js", 200),
        new("GET", "/docs/scalar.aspnetcore.js", Door.Open, "/docs/scalar.aspnetcore.js", 200),
        new("GET", "/api/agencies", Door.Read, "/api/agencies", 200),
        new("POST", "/api/agencies", Door.Admin, "/api/agencies", 201, """{"name":"New","timezone":"UTC"}""")
        {
            WritesAnAgency = true,
        },
        Row("/api/agencies/{id}", "/api/agencies/{agency}"),
        new("PATCH", "/api/agencies/{id}", Door.Admin, "/api/agencies/{agency}", 200, """{"name":"A new name"}""")
        {
            WritesAnAgency = true,
        },
        new("POST", "/api/agencies/{id}/pause", Door.Admin, "/api/agencies/{fresh}/pause", 200, Reason),
        new("POST", "/api/agencies/{id}/resume", Door.Admin, "/api/agencies/{paused}/resume", 200,
            """{"reason":"A test","mode":"skip"}"""),
        Row("/api/agencies/{id}/preview", "/api/agencies/{agency}/preview"),
        Row("/api/agencies/{id}/history", "/api/agencies/{agency}/history"),
        new("POST", "/api/agencies/{id}/runs", Door.Trigger, "/api/agencies/{agency}/runs", 200, Reason),
        Row("/api/agencies/{id}/installments", "/api/agencies/{agency}/installments"),
        new("GET", "/api/installments/due-soon", Door.Read, "/api/installments/due-soon", 200),
        new("GET", "/api/installments/overdue", Door.Read, "/api/installments/overdue", 200),
        new("GET", "/api/installments/totals", Door.Read, "/api/installments/totals", 200),
        Row("/api/installments/{id}/explain", "/api/installments/{installment}/explain"),
        new("POST", "/api/runs", Door.Trigger, "/api/runs", 200, Reason),
        Row("/api/runs/{id}", "/api/runs/{run}", Door.Known),
        new("POST", "/api/agency-runs/{id}/undo", Door.Admin, "/api/agency-runs/{marking}/undo", 200, Reason),
        new("GET", "/api/jobs", Door.Read, "/api/jobs", 200),
        Row("/api/jobs/{id}", "/api/jobs/{job}"),
        Row("/api/jobs/{id}/agencies", "/api/jobs/{job}/agencies"),
        new("GET", "/api/alerts", Door.Read, "/api/alerts", 200),
        Row("/api/alerts/{id}", "/api/alerts/{alert}"),
        new("POST", "/api/alerts/{id}/acknowledge", Door.Admin, "/api/alerts/{alert}/acknowledge", 200, "{}"),
        new("GET", "/api/events", Door.Read, "/api/events", 200),
        new("POST", "/functions/v1/update-installment-statuses", Door.Trigger,
            "/functions/v1/update-installment-statuses", 200, AnswersInWordsOfItsOwn: true),
    ];

    private const string Reason = """{"reason":"A test"}""";

    public string Name => $"{Method} {Pattern}";

    private static EndpointLine Row(string pattern, string address, Door door = Door.Read) =>
        new("GET", pattern, door, address, 200) { ShowsARow = true };
}
