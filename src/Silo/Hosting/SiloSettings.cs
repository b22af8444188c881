using System.Net;
using Actors.Api.Access;
using Actors.Grains;
using Actors.Grains.Cutoffs;
using Orleans.Configuration;

namespace Actors.Silo.Hosting;

/// <summary>What one process that hosts a silo, the API or both needs to know.</summary>
public sealed record SiloSettings
{
    /// <summary>
    /// The login of the grains and of Orleans; it needs no right but those of `service_role`.
    /// </summary>
    public required string SiloConnectionString { get; init; }

    /// <summary>In front of the pools of grains and API; null: they go to the database directly.</summary>
    public Pooler? Pooler { get; init; }

    /// <summary>
    /// The login of the API, which may act as every caller; the silo's where only one login was given.
    /// </summary>
    public string ApiConnectionString { get => field ?? SiloConnectionString; init; }

    /// <summary>Whose tokens the API takes, and how much it answers at most.</summary>
    public AccessSettings Access { get; init; } = new();

    /// <summary>Everything is bound and advertised here; loopback, unless told otherwise.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>The API's port; 0 takes any that is free.</summary>
    public int HttpPort { get; init; }

    /// <summary>
    /// Where other silos and clients reach this one. A silo that comes back on its old ports is known to be the
    /// successor of the one that died there.
    /// </summary>
    public required SiloPorts Ports { get; init; }

    public string ClusterId { get; init; } = "actors";

    /// <summary>Reminders belong to the service, and so outlive any cluster.</summary>
    public string ServiceId { get; init; } = "actors";

    /// <summary>True when no other silo can be alive, so that every row of the membership is a dead one's.</summary>
    public bool IsAlone { get; init; }

    public GrainOptions Grains { get; init; } = new();

    public TelemetrySettings Telemetry { get; init; } = new();

    /// <summary>Who says what time it is; a test's clock in the database's place.</summary>
    public DatabaseClock Clock { get; init; } = DatabaseClock.OfPostgres;

    /// <summary>The clock under Orleans' reminders; null for the system's.</summary>
    public TimeProvider? ReminderClock { get; init; }

    /// <summary>Where a pool of grains or API connects to.</summary>
    internal string Pooled(string connectionString) => Pooler?.Through(connectionString) ?? connectionString;

    /// <summary>Says to Orleans which cluster it is.</summary>
    internal void Name(ClusterOptions cluster)
    {
        cluster.ClusterId = ClusterId;
        cluster.ServiceId = ServiceId;
    }
}
