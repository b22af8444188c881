using Actors.Api.Access;
using Actors.Api.Answers;
using Actors.Api.Requests;
using NodaTime;
using Npgsql;
using NpgsqlTypes;

namespace Actors.Api.Agencies;

/// <summary>
/// Reads the list of agencies. A page is one walk along an index from the row before it; a filter that leaves few rows
/// finds them by an index of its own. Only a search for less than three characters looks at every name, and one by a
/// user with a token, from whom row-level security hides that index: at 100,000 agencies some 50 ms.
/// </summary>
internal static class AgencyListSql
{
    private static readonly string State = AgencyState.At("now()");

    /// <summary>The list of a query, behind the keys of an agency or from the first one on.</summary>
    public static ListSql Of(AgencyListQuery query, object?[]? after)
    {
        var order = query.Order;
        var (comes, direction) = order.IsBackwards ? ("<", "DESC") : (">", "ASC");
        var sql = new ListSql(
            $$"""
            SELECT a.id, {{AgencySettings.Columns}}, {{State}},
                   CASE WHEN c.paused_at IS NULL THEN c.next_cutoff_at END, c.last_cutoff_date, c.last_cutoff_at,
                   c.paused_at, c.failed_attempts, c.last_error, {{AgencyOrder.NameKey}}
            FROM agencies a
            JOIN agency_cutoffs c ON c.agency_id = a.id
            {where}
            ORDER BY {{order.Key}} {{direction}}, {{order.Id}} {{direction}}
            LIMIT @rows
            """);
        Filter(sql, query);
        if (after is not null)
        {
            sql.And($"({order.Key}, {order.Id}) {comes} ({order.After}, @after_id)");
            sql.With(
                "after_key", order.Kind == QueryKind.Instant ? NpgsqlDbType.TimestampTz : NpgsqlDbType.Text, after[0]);
            sql.With("after_id", NpgsqlDbType.Uuid, after[1]);
        }

        return sql;
    }

    /// <summary>
    /// Adds what a query filters by to a statement over `agencies a` and `agency_cutoffs c`.
    /// </summary>
    public static void Filter(ListSql sql, AgencyListQuery query)
    {
        sql.And("a.timezone = @timezone", "timezone", NpgsqlDbType.Text, query.Timezone);
        if (query.State is { } state)
        {
            sql.And(state.Finds);
            sql.And($"{State} = @state", "state", NpgsqlDbType.Text, state.InDatabase);
        }

        if (query.Search is { } search) Search(sql, search);
    }

    private static void Search(ListSql sql, string search)
    {
        // Compared byte by byte, which is faster than by the rules of a language, and possible in all of them.
        // The index finds all names that have the same runs of characters, and a few more. Where it is not used, to
        // look for runs takes longer than to compare, which stands first therefore.
        const string inName =
            """
            (strpos(lower(a.name) COLLATE "C", lower(@search) COLLATE "C") > 0
              AND actors.name_parts(a.name) COLLATE "C" @> actors.name_parts(@search))
            """;
        const string byId = "a.id BETWEEN @first_id AND @last_id";
        if (AgencyListQuery.IdsBeginningWith(search) is not { } range)
        {
            sql.And(inName, "search", NpgsqlDbType.Text, search);
            return;
        }

        sql.With("first_id", NpgsqlDbType.Uuid, range.First);
        sql.With("last_id", NpgsqlDbType.Uuid, range.Last);
        if (range.First == range.Last) sql.And(byId);
        else sql.And($"({byId} OR {inName})", "search", NpgsqlDbType.Text, search);
    }

    /// <summary>Makes an agency of a row.</summary>
    public static AgencyItem Read(NpgsqlDataReader reader)
    {
        var settings = AgencySettings.Read(reader, 1);
        return new AgencyItem(
            reader.GetGuid(0),
            settings.Name,
            settings.Timezone,
            settings.OverdueCutoffTime,
            settings.DueSoonThresholdDays,
            DatabaseWord.InAnswers(reader.GetString(5)),
            WallTime.At(reader.ValueOrNull<Instant>(6), settings.Timezone),
            reader.ValueOrNull<LocalDate>(7),
            WallTime.At(reader.ValueOrNull<Instant>(8), settings.Timezone),
            reader.ValueOrNull<Instant>(9),
            reader.GetInt32(10),
            reader.TextOrNull(11))
        {
            NameKey = reader.GetString(12),
        };
    }
}
