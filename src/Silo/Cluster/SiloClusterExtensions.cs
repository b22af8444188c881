using Npgsql;
using Orleans.Configuration;

namespace Actors.Silo.Cluster;

/// <summary>
/// Points Orleans at PostgreSQL: at the tables of `sql/003_cluster_domain`, through a data source from
/// <see cref="OrleansDataSource"/>. Which cluster and service it is stays the caller's to say, with
/// <see cref="ClusterOptions"/>.
/// </summary>
public static class SiloClusterExtensions
{
    private const string Npgsql = nameof(Npgsql);

    /// <summary>This silo finds the others, and keeps its reminders, in the database of the data source.</summary>
    public static ISiloBuilder UsePostgres(this ISiloBuilder silo, NpgsqlDataSource orleans)
    {
        ArgumentNullException.ThrowIfNull(silo);
        ArgumentNullException.ThrowIfNull(orleans);
        return silo
            .UseAdoNetClustering((AdoNetClusteringSiloOptions options) =>
            {
                options.Invariant = Npgsql;
                options.DataSource = orleans;
            })
            .UseAdoNetReminderService((AdoNetReminderTableOptions options) =>
            {
                options.Invariant = Npgsql;
                options.DataSource = orleans;
            });
    }

    /// <summary>This client finds the cluster's gateways in the database of the data source.</summary>
    public static IClientBuilder UsePostgres(this IClientBuilder client, NpgsqlDataSource orleans)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(orleans);
        return client.UseAdoNetClustering((AdoNetClusteringClientOptions options) =>
        {
            options.Invariant = Npgsql;
            options.DataSource = orleans;
        });
    }
}
