namespace Actors.Api.Jobs;

/// <summary>Every address of the log of runs.</summary>
internal static class JobRoutes
{
    public static void MapJobs(this ApiRoutes api)
    {
        api.MapJobListing();
        api.MapJobDetails();
        api.MapJobAgencies();
    }
}
