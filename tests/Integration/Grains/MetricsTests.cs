using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Actors.Grains;
using Actors.Tests.Support;
using NodaTime;
using Xunit;

namespace Actors.Tests.Integration.Grains;

/// <summary>
/// What is measured is what happened. Other tests of the process measure at the same time, so these look for values
/// that nothing else has.
/// </summary>
public sealed class MetricsTests(GrainWorld world) : IClassFixture<GrainWorld>
{
    [Fact]
    public async Task Lateness_is_measured_from_the_cutoff_to_the_transaction_that_served_it()
    {
        var measured = new ConcurrentBag<double>();
        using var listener = Listen("actors.cutoff.lateness", measured);
        var agency = await world.AddServedAgencyAsync("2031-01-10T18:00:00Z");
        world.Clock.Now = GrainWorld.At("2031-01-11T18:23:45Z");

        await world.BringUpToDateAsync(agency);

        Assert.Contains(measured, seconds => seconds == ((83 * 60) + 45));
    }

    [Fact]
    public async Task What_a_run_marked_is_counted_once_it_is_committed()
    {
        const int due = 137;
        var counted = new ConcurrentBag<long>();
        using var listener = Listen("actors.installments.marked", counted);
        var agency = await world.AddServedAgencyAsync("2031-01-10T18:00:00Z");
        for (var installment = 0; installment < due; installment++)
            await world.AddInstallmentAsync(agency, "2031-01-11");
        world.Clock.Now = GrainWorld.At("2031-01-11T17:00:00Z");

        await world.BringUpToDateAsync(agency);
        await world.BringUpToDateAsync(agency);

        Assert.Single(counted, count => count == due);
    }

    [Fact]
    public async Task A_sweep_tells_how_many_agencies_it_found_late()
    {
        var told = new ConcurrentBag<long>();
        using var listener = Listen("actors.agencies.late", told);
        var round = 0;

        // Other tests of the process may sweep between the sweep and the look.
        await Eventually.HoldsAsync("a late agency is told", async () =>
        {
            await world.AddServedAgencyAsync("2031-01-10T18:00:00Z");
            world.Clock.Now = GrainWorld.At("2031-01-11T17:05:00Z") + Duration.FromSeconds(round++);
            await world.Coordinator.SweepAsync();
            listener.RecordObservableInstruments();
            return told.Any(late => late > 0);
        });
    }

    private static MeterListener Listen<T>(string instrument, ConcurrentBag<T> measured)
        where T : struct
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (published, listener) =>
            {
                if (published.Meter.Name == GrainTelemetry.Name && published.Name == instrument)
                    listener.EnableMeasurementEvents(published);
            },
        };
        listener.SetMeasurementEventCallback<T>((_, measurement, _, _) => measured.Add(measurement));
        listener.Start();
        return listener;
    }
}
