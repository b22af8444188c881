using Actors.Api.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using NodaTime;

namespace Actors.Api.Agencies;

/// <summary>
/// What a request says of an agency's settings: each that is null is not spoken of. Whether the zone can be used is
/// asked later, of the database and of the tz database.
/// </summary>
internal sealed record AgencyBody(
    Guid? AgencyId, string? NameText, string? TimezoneText, LocalTime? CutoffTime, int? DueSoonDays)
{
    public const string Id = "id";
    public const string Name = "name";
    public const string Timezone = "timezone";
    public const string OverdueCutoffTime = "overdueCutoffTime";
    public const string DueSoonThresholdDays = "dueSoonThresholdDays";

    public const int FewestDays = 1;
    public const int MostDays = 30;

    /// <summary>As the import has it.</summary>
    public const int LongestName = 500;

    /// <summary>A new agency: a name and a zone at least, and an id if its maker has one.</summary>
    public static async Task<(AgencyBody? Body, ProblemHttpResult? Refusal)> ForNewAsync(HttpRequest request)
    {
        var (json, malformed) = await JsonBody.ReadAsync(
            request, Id, Name, Timezone, OverdueCutoffTime, DueSoonThresholdDays);
        if (json is null) return (null, malformed);
        json.Require(Name, "the agency's name");
        json.Require(Timezone, "the IANA zone of its wall clock, such as Australia/Brisbane");
        var body = Taken(json, json.Id(Id));
        return (body, json.Refusal());
    }

    /// <summary>A merge patch (RFC 7396) of settings: what is left out stays, and nothing can be taken away.</summary>
    public static async Task<(AgencyBody? Body, ProblemHttpResult? Refusal)> ForPatchAsync(HttpRequest request)
    {
        var (json, malformed) = await JsonBody.ReadAsync(
            request, Name, Timezone, OverdueCutoffTime, DueSoonThresholdDays);
        if (json is null) return (null, malformed);
        json.RefuseNulls();
        var body = Taken(json, null);
        return (body, json.Refusal());
    }

    /// <summary>The settings of a new agency that says this.</summary>
    public AgencySettings AsNew() => new(
        NameText,
        TimezoneText!,
        CutoffTime ?? AgencySettings.UsualCutoffTime,
        DueSoonDays ?? AgencySettings.UsualDueSoonThresholdDays);

    /// <summary>These settings, with what this says in place of what they say.</summary>
    public AgencySettings AppliedTo(AgencySettings current) => new(
        NameText ?? current.Name,
        TimezoneText ?? current.Timezone,
        CutoffTime ?? current.OverdueCutoffTime,
        DueSoonDays ?? current.DueSoonThresholdDays);

    private static AgencyBody Taken(JsonBody json, Guid? id)
    {
        var name = json.Text(Name);
        if (name is not null && NameAdvice(name) is { } advice) json.Refuse(Name, advice);
        return new AgencyBody(
            id, name, json.Text(Timezone), json.Time(OverdueCutoffTime),
            json.Number(DueSoonThresholdDays, FewestDays, MostDays));
    }

    private static string? NameAdvice(string name) =>
        string.IsNullOrWhiteSpace(name) ? "The name is blank; write what people call the agency."
        : name.Length > LongestName ? $"The name is {name.Length} characters long; shorten it to {LongestName}."
        : PlainText.IsOneLine(name) ? null
        : "The name has a control character; leave it out.";
}
