namespace Actors.Api.Alerts;

/// <summary>Every address of alerts.</summary>
internal static class AlertRoutes
{
    public static void MapAlerts(this ApiRoutes api)
    {
        api.MapAlertListing();
        api.MapAlertDetails();
        api.MapAlertAcknowledging();
    }
}
