using Npgsql;

namespace Actors.Grains;

/// <summary>
/// An error of PostgreSQL on its way to another silo, which has to know what it was: Orleans itself carries none of a
/// library's exceptions. Detail and hint stay behind, since they may quote rows.
/// </summary>
[GenerateSerializer, Alias("actors.PostgresErrorSurrogate")]
internal readonly record struct PostgresErrorSurrogate(
    [property: Id(0)] string Message,
    [property: Id(1)] string Severity,
    [property: Id(2)] string InvariantSeverity,
    [property: Id(3)] string SqlState,
    [property: Id(4)] string? Routine);

/// <summary>An error of the connection to PostgreSQL, with what the operating system said of it.</summary>
[GenerateSerializer, Alias("actors.NpgsqlErrorSurrogate")]
internal readonly record struct NpgsqlErrorSurrogate(
    [property: Id(0)] string Message, [property: Id(1)] Exception? Inner);

/// <summary>Orleans finds it by its attribute.</summary>
[RegisterConverter]
internal sealed class PostgresErrorConverter : IConverter<PostgresException, PostgresErrorSurrogate>
{
    public PostgresException ConvertFromSurrogate(in PostgresErrorSurrogate surrogate) => new(
        surrogate.Message, surrogate.Severity, surrogate.InvariantSeverity, surrogate.SqlState,
        routine: surrogate.Routine);

    public PostgresErrorSurrogate ConvertToSurrogate(in PostgresException value) => new(
        value.MessageText, value.Severity, value.InvariantSeverity, value.SqlState, value.Routine);
}

/// <summary>Orleans finds it by its attribute.</summary>
[RegisterConverter]
internal sealed class NpgsqlErrorConverter : IConverter<NpgsqlException, NpgsqlErrorSurrogate>
{
    public NpgsqlException ConvertFromSurrogate(in NpgsqlErrorSurrogate surrogate) =>
        new(surrogate.Message, surrogate.Inner);

    public NpgsqlErrorSurrogate ConvertToSurrogate(in NpgsqlException value) =>
        new(value.Message, value.InnerException);
}
