namespace Actors.Grains.Interfaces;

/// <summary>The id of an agency: `agencies.id`, and the key of its grain.</summary>
[GenerateSerializer, Immutable, Alias("actors.AgencyId")]
public readonly record struct AgencyId([property: Id(0)] Guid Value)
{
    public override string ToString() => Value.ToString();
}

/// <summary>The id of a run: `jobs_log.id`.</summary>
[GenerateSerializer, Immutable, Alias("actors.JobId")]
public readonly record struct JobId([property: Id(0)] Guid Value)
{
    public override string ToString() => Value.ToString();
}

/// <summary>The names under which runs stand in `jobs_log.job_name`; also the keys of their coordinators.</summary>
public static class JobNames
{
    public const string UpdateInstallmentStatuses = "update-installment-statuses";
}
