using System.Text.Json;
using System.Text.Json.Serialization;
using NodaTime;
using NodaTime.Serialization.SystemTextJson;

namespace Actors.Api;

/// <summary>
/// How the API writes JSON: camelCase unless a property names itself, instants as RFC 3339 in UTC
/// (`2026-08-09T07:00:00Z`), local dates as `2026-08-09`.
/// </summary>
public static class ApiJson
{
    /// <summary>Adds the above to options that already are those of the web.</summary>
    public static void Configure(JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.ConfigureForNodaTime(DateTimeZoneProviders.Tzdb);
        // A number is a number: "7" is a text, and is refused where a number is expected.
        options.NumberHandling = JsonNumberHandling.Strict;
    }
}
