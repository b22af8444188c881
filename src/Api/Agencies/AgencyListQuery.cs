using Actors.Api.Requests;

namespace Actors.Api.Agencies;

/// <summary>Which agencies are listed, and in which order.</summary>
/// <param name="Search">A part of a name, in any case, or an id or its beginning; null for all.</param>
/// <param name="Timezone">Their zone; null for all.</param>
/// <param name="State">Their state; null for all.</param>
/// <param name="Order">The order.</param>
internal sealed record AgencyListQuery(string? Search, string? Timezone, AgencyState? State, AgencyOrder Order)
{
    public static IReadOnlyList<QueryParameter> Parameters { get; } =
    [
        QueryParameter.Text(
            "search",
            "A part of the name, in upper or lower case; or an id, or at least the first four characters of one."),
        QueryParameter.Text("timezone", "Agencies in this IANA zone, such as Australia/Brisbane."),
        QueryParameter.Word(
            "state",
            "`paused`; `failed`: the last run failed; `late`: a cutoff is unserved for more than 10 s, or unknown for "
            + "more than a minute; else `onTime`.",
            [.. AgencyState.All.Select(state => state.Word)]),
        QueryParameter.Word(
            "sort",
            "The order; with - in front, backwards. Agencies whose next cutoff is unknown, or that are paused, come "
            + "last by nextCutoff; those that were never served come first by lastCutoff.",
            [.. AgencyOrder.Words]) with { Default = "name" },
    ];

    public static AgencyListQuery Of(QueryValues query) => new(
        query.Text("search"),
        query.Text("timezone"),
        query.Text("state") is { } state ? AgencyState.Named(state) : null,
        AgencyOrder.Named(query.Text("sort")!));

    /// <summary>
    /// The ids that a text may mean: one for a whole id, many for the beginning of one; null for what is neither.
    /// </summary>
    public static (Guid First, Guid Last)? IdsBeginningWith(string text)
    {
        const int leastCharacters = 4;
        const string shape = "00000000-0000-0000-0000-000000000000";
        if (text.Length < leastCharacters || text.Length > shape.Length) return null;
        for (var place = 0; place < text.Length; place++)
            if (shape[place] == '-' ? text[place] != '-' : !char.IsAsciiHexDigit(text[place])) return null;
        return (Guid.Parse(text + shape[text.Length..]), Guid.Parse(text + shape[text.Length..].Replace('0', 'f')));
    }
}

/// <summary>A state that an agency may be in.</summary>
/// <param name="Word">As the API spells it.</param>
/// <param name="InDatabase">As `actors.agency_state` answers it.</param>
/// <param name="Finds">
/// What every agency in that state fulfils, in a form by which an index finds the few of many; the function then
/// decides.
/// </param>
internal sealed record AgencyState(string Word, string InDatabase, string Finds)
{
    /// <summary>
    /// The state of an agency at an instant, which is an SQL expression too, with its watermark at hand as `c`.
    /// </summary>
    public static string At(string now) =>
        "actors.agency_state(c.paused_at, c.failed_attempts, c.next_cutoff_at, c.settings_changed_at, " + now + ")";

    public static IReadOnlyList<AgencyState> All { get; } =
    [
        new("onTime", "on_time", "true"),
        new("late", "late", "c.paused_at IS NULL AND (c.next_cutoff_at < now() OR c.next_cutoff_at IS NULL)"),
        new("failed", "failed", "c.failed_attempts > 0"),
        new("paused", "paused", "c.paused_at IS NOT NULL"),
    ];

    public static AgencyState Named(string word) => All.Single(state => state.Word == word);
}

/// <summary>An order of agencies, by a key and then by id, both in the same direction.</summary>
/// <param name="Word">As the API spells it.</param>
/// <param name="Key">The key in SQL, of which there is an index together with the id.</param>
/// <param name="Id">The column of the id that this index has.</param>
/// <param name="After">The key of the row before the page, in SQL, from the parameter `@after_key`.</param>
/// <param name="Kind">What the key is.</param>
/// <param name="IsBackwards">Whether it is the reverse order.</param>
internal sealed record AgencyOrder(
    string Word, string Key, string Id, string After, QueryKind Kind, bool IsBackwards)
{
    public const string NameKey = "lower(left(coalesce(a.name, ''), 100))";

    private static readonly AgencyOrder[] Forwards =
    [
        new("name", NameKey, "a.id", "coalesce(@after_key, '')", QueryKind.Text, false),
        new(
            "nextCutoff",
            "CASE WHEN c.paused_at IS NULL AND c.next_cutoff_at IS NOT NULL THEN c.next_cutoff_at ELSE 'infinity' END",
            "c.agency_id",
            "coalesce(@after_key, 'infinity'::timestamptz)",
            QueryKind.Instant,
            false),
        new(
            "lastCutoff",
            "CASE WHEN c.last_cutoff_at IS NOT NULL THEN c.last_cutoff_at ELSE '-infinity' END",
            "c.agency_id",
            "coalesce(@after_key, '-infinity'::timestamptz)",
            QueryKind.Instant,
            false),
    ];

    private static readonly AgencyOrder[] All =
    [
        .. Forwards, .. Forwards.Select(order => order with { Word = "-" + order.Word, IsBackwards = true }),
    ];

    public static IEnumerable<string> Words => All.Select(order => order.Word);

    public static AgencyOrder Named(string word) => All.Single(order => order.Word == word);

    /// <summary>What an agency is ordered by, as the cursor keeps it; the key may be null.</summary>
    public object?[] KeysOf(AgencyItem agency) =>
    [
        Word.TrimStart('-') switch
        {
            "nextCutoff" => agency.NextCutoff?.Instant,
            "lastCutoff" => agency.LastCutoff?.Instant,
            _ => agency.NameKey,
        },
        agency.Id,
    ];
}
