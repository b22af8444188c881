namespace Actors.Api.Agencies;

/// <summary>Every address of one agency or of all, but its runs and its history.</summary>
internal static class AgencyRoutes
{
    public static void MapAgencies(this ApiRoutes api)
    {
        api.MapAgencyListing();
        api.MapAgencyDetails();
        api.MapAgencyCreating();
        api.MapAgencyChanging();
        api.MapAgencyPreview();
        api.MapAgencyPausing();
        api.MapAgencyResuming();
        api.MapRunUndoing();
    }
}
