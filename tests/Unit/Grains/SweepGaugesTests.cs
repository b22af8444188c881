using System.Diagnostics.Metrics;
using Actors.Grains;
using Xunit;

namespace Actors.Tests.Unit.Grains;

/// <summary>What a process tells of its sweeps, and that it tells nothing when another sweeps.</summary>
public sealed class SweepGaugesTests
{
    [Fact]
    public void Only_the_silo_that_sweeps_tells_how_many_agencies_are_late()
    {
        var told = new List<long>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (published, listener) =>
            {
                if (published.Meter.Name == GrainTelemetry.Name && published.Name == "actors.agencies.late")
                    listener.EnableMeasurementEvents(published);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, measurement, _, _) => told.Add(measurement));
        listener.Start();

        GrainTelemetry.Swept(7);
        listener.RecordObservableInstruments();
        GrainTelemetry.SweepsNoMore();
        listener.RecordObservableInstruments();

        Assert.Equal([7], told);
    }
}
