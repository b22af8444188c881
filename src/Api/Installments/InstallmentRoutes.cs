namespace Actors.Api.Installments;

/// <summary>Every list of installments, and what they sum up to.</summary>
internal static class InstallmentRoutes
{
    public static void MapInstallments(this ApiRoutes api)
    {
        api.MapOverdueListing();
        api.MapDueSoonListing();
        api.MapAgencyInstallments();
        api.MapInstallmentTotals();
    }
}
