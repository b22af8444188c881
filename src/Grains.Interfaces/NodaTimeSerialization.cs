using NodaTime;

namespace Actors.Grains.Interfaces;

/// <summary>
/// How an <see cref="Instant"/> travels between silos: ticks of 100 ns since the Unix epoch, finer than the
/// microseconds that PostgreSQL keeps.
/// </summary>
[GenerateSerializer, Immutable, Alias("actors.InstantSurrogate")]
public readonly record struct InstantSurrogate([property: Id(0)] long UnixTimeTicks);

/// <summary>How a <see cref="LocalDate"/> of the ISO calendar travels between silos.</summary>
[GenerateSerializer, Immutable, Alias("actors.LocalDateSurrogate")]
public readonly record struct LocalDateSurrogate(
    [property: Id(0)] int Year, [property: Id(1)] int Month, [property: Id(2)] int Day);

/// <summary>How a <see cref="LocalTime"/> travels between silos: nanoseconds since midnight.</summary>
[GenerateSerializer, Immutable, Alias("actors.LocalTimeSurrogate")]
public readonly record struct LocalTimeSurrogate([property: Id(0)] long NanosecondOfDay);

[RegisterConverter]
public sealed class InstantConverter : IConverter<Instant, InstantSurrogate>
{
    public Instant ConvertFromSurrogate(in InstantSurrogate surrogate) =>
        Instant.FromUnixTimeTicks(surrogate.UnixTimeTicks);

    public InstantSurrogate ConvertToSurrogate(in Instant value) => new(value.ToUnixTimeTicks());
}

[RegisterConverter]
public sealed class LocalDateConverter : IConverter<LocalDate, LocalDateSurrogate>
{
    public LocalDate ConvertFromSurrogate(in LocalDateSurrogate surrogate) =>
        new(surrogate.Year, surrogate.Month, surrogate.Day);

    public LocalDateSurrogate ConvertToSurrogate(in LocalDate value) => new(value.Year, value.Month, value.Day);
}

[RegisterConverter]
public sealed class LocalTimeConverter : IConverter<LocalTime, LocalTimeSurrogate>
{
    public LocalTime ConvertFromSurrogate(in LocalTimeSurrogate surrogate) =>
        LocalTime.FromNanosecondsSinceMidnight(surrogate.NanosecondOfDay);

    public LocalTimeSurrogate ConvertToSurrogate(in LocalTime value) => new(value.NanosecondOfDay);
}
