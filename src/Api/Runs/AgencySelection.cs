using Actors.Api.Access;
using Actors.Api.Errors;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using NpgsqlTypes;

namespace Actors.Api.Runs;

/// <summary>
/// Which agencies a filter selects, of those that the caller may see. One that is asked for by id and is not there is
/// named, and nothing is run: the rest may not be what was meant.
/// </summary>
internal sealed class AgencySelection(CallerDatabase database)
{
    /// <summary>More are not selected one by one; a run of all has no such limit.</summary>
    private const int MostAgencies = 100_000;

    private const string Unknown =
        """
        SELECT id FROM unnest(@ids) AS asked (id)
        WHERE NOT EXISTS (SELECT FROM agencies AS a WHERE a.id = asked.id)
        ORDER BY id
        """;

    private const string Select =
        """
        SELECT a.id, c.paused_at IS NOT NULL
        FROM agencies AS a
        LEFT JOIN agency_cutoffs AS c ON c.agency_id = a.id
        WHERE (@ids IS NULL OR a.id = ANY (@ids))
          AND (@timezone IS NULL OR a.timezone = @timezone)
          AND (@search IS NULL OR strpos(lower(a.name), lower(@search)) > 0 OR a.id::text = lower(@search))
          AND (@state IS NULL OR @state = CASE
            WHEN c.paused_at IS NOT NULL THEN 'paused'
            WHEN c.failed_attempts > 0 THEN 'failed'
            WHEN c.next_cutoff_at < clock_timestamp() - interval '10 seconds' THEN 'late'
            ELSE 'onTime' END)
        ORDER BY a.id
        LIMIT @most + 1
        """;

    /// <summary>The ids that are selected, in their order; or why there is nothing to run.</summary>
    public async Task<RunSelection> SelectAsync(
        Caller caller, RunFilter filter, CancellationToken cancellationToken)
    {
        // This role sees no agency at all, so that a filter would select none whatever it says.
        if (caller.Role == CallerRole.Trigger) return Refused(FilterNeedsRead.ToProblem());

        await using var session = await database.BeginAsync(caller, CallerAccess.Read, cancellationToken);
        if (filter.AgencyIds is { Length: > 0 })
        {
            var unknown = await session.ReadAsync(
                Unknown, row => row.GetGuid(0), cancellationToken, Ids(filter.AgencyIds));
            if (unknown.Count > 0) return Refused(UnknownAgencies(unknown));
        }

        var selected = await session.ReadAsync(
            Select, row => (Id: row.GetGuid(0), IsPaused: row.GetBoolean(1)), cancellationToken,
            Ids(filter.AgencyIds), Text("timezone", filter.Timezone), Text("search", filter.Search),
            Text("state", filter.State), new NpgsqlParameter("most", MostAgencies));
        return selected.Count switch
        {
            0 => Refused(NothingSelected("The filter selects no agency that you may see: there is nothing to run.")),
            > MostAgencies => Refused(TooMany),
            _ when selected.All(agency => agency.IsPaused) => Refused(NothingSelected(
                "Every agency that the filter selects is paused, so there is nothing to run: resume them, then ask "
                + "again.")),
            _ => new RunSelection([.. selected.Select(agency => agency.Id)], null),
        };
    }

    private static RunSelection Refused(ProblemHttpResult refusal) => new(null, refusal);

    private static readonly ApiError FilterNeedsRead = new(
        403, "scope-missing", "Forbidden",
        "A filter selects among the agencies that you may see, and this API key sees none: it lacks the scope 'read'. "
        + "Leave the filter out to run all, or ask for one agency by its id.");

    private static ProblemHttpResult TooMany => new ApiError(
        422, "too-many-agencies", "Too many agencies",
        $"The filter selects more than {MostAgencies} agencies; narrow it, or leave it out to run all.").ToProblem();

    private static ProblemHttpResult NothingSelected(string sentence) =>
        new ApiError(422, "nothing-selected", "Nothing selected", sentence).ToProblem();

    private static ProblemHttpResult UnknownAgencies(IReadOnlyList<Guid> unknown) => new ApiError(
        422, "unknown-agencies", "Unknown agencies",
        $"{unknown.Count} of the agencies in filter.agencyIds are not there, so nothing was run; agencyIds names them.")
        .ToProblem(("agencyIds", unknown));

    private static NpgsqlParameter Ids(Guid[]? ids) =>
        new("ids", NpgsqlDbType.Array | NpgsqlDbType.Uuid) { Value = (object?)ids ?? DBNull.Value };

    private static NpgsqlParameter Text(string name, string? text) =>
        new(name, NpgsqlDbType.Text) { Value = (object?)text ?? DBNull.Value };
}
