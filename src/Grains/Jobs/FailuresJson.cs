using System.Text.Json;
using Actors.Grains.Interfaces;

namespace Actors.Grains.Jobs;

/// <summary>Failures as the JSON array that `close_run` reads.</summary>
internal static class FailuresJson
{
    public static string Of(IEnumerable<AgencyFailure> failures) => JsonSerializer.Serialize(
        failures.Select(failure => new { agency_id = failure.Agency.Value, error = failure.Error }));
}
