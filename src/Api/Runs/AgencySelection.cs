using Actors.Api.Access;
using Actors.Api.Agencies;
using Actors.Api.Answers;
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

        var selected = await ReadAsync(session, filter, cancellationToken);
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

    /// <summary>In the words of the list of agencies: what a filter shows there is what it runs here.</summary>
    private static Task<IReadOnlyList<(Guid Id, bool IsPaused)>> ReadAsync(
        CallerSession session, RunFilter filter, CancellationToken cancellationToken)
    {
        var query = new AgencyListQuery(
            filter.Search,
            filter.Timezone,
            filter.State is { } state ? AgencyState.Named(state) : null,
            AgencyOrder.Named("name"));
        var sql = new ListSql(
            """
            SELECT a.id, c.paused_at IS NOT NULL
            FROM agencies a
            JOIN agency_cutoffs c ON c.agency_id = a.id
            {where}
            ORDER BY a.id
            LIMIT @rows
            """);
        sql.And("a.id = ANY (@ids)", "ids", NpgsqlDbType.Array | NpgsqlDbType.Uuid, filter.AgencyIds);
        AgencyListSql.Filter(sql, query);
        return session.ReadAsync(
            sql.Text, row => (row.GetGuid(0), row.GetBoolean(1)), cancellationToken,
            sql.Parameters(MostAgencies + 1));
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
}
