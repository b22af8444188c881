using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;

namespace Actors.Api.Errors;

/// <summary>
/// What is answered where a table that is the application's own refuses a row: it may have columns, constraints and
/// triggers that nobody here knows of. The answer names the column or the constraint, and never the exception's text.
/// </summary>
internal static class DatabaseRefusals
{
    private const string RaisedByTrigger = "P0001";

    /// <summary>The answer to an error of the row's own making; null for every other error.</summary>
    /// <param name="error">What PostgreSQL said.</param>
    /// <param name="table">The table, for the sentence.</param>
    public static ProblemHttpResult? Decide(PostgresException error, string table) => error.SqlState switch
    {
        PostgresErrorCodes.NotNullViolation => Refused(422, "column-required", "Column required",
            $"The table {table} has the column {error.ColumnName}, which must have a value and is not known here: make "
            + "the row where it is known, or give the column a default.", error),
        PostgresErrorCodes.UniqueViolation => Refused(409, "not-unique", "Not unique",
            $"Another row of the table {table} has the same value of what must be unique there.", error),
        RaisedByTrigger or [ '2', '2' or '3', _, _, _ ] => Refused(422, "database-refused", "Refused by the database",
            $"The table {table} does not take these values: a constraint or trigger of it says no.", error),
        _ => null,
    };

    private static ProblemHttpResult Refused(
        int status, string code, string title, string sentence, PostgresException error) =>
        new ApiError(status, code, title, sentence + " Nothing was changed.").ToProblem(
            ("column", error.ColumnName), ("constraint", error.ConstraintName));
}
