using Actors.Silo.Migrations;
using Xunit;

namespace Actors.Tests.Unit.Migrations;

public sealed class SqlStatementTests
{
    [Theory]
    [InlineData("SELECT 1; SELECT 2", "SELECT 1", "SELECT 2")]
    [InlineData("SELECT ';'; SELECT 'it''s; so'", "SELECT ';'", "SELECT 'it''s; so'")]
    [InlineData("SELECT E'\\';'; SELECT '\\'; SELECT 3", "SELECT E'\\';'", "SELECT '\\'", "SELECT 3")]
    [InlineData("SELECT \"a;\"\"b\"; SELECT 2", "SELECT \"a;\"\"b\"", "SELECT 2")]
    [InlineData("DO $$ a; b; $$; SELECT 2", "DO $$ a; b; $$", "SELECT 2")]
    [InlineData("DO $a$ $$ ; $b$ ; $a$; SELECT $1", "DO $a$ $$ ; $b$ ; $a$", "SELECT $1")]
    [InlineData("-- a; b\nSELECT 1; /* c; /* d; */ e; */ SELECT 2 -- f;\n;", "SELECT 1", "SELECT 2 -- f;")]
    [InlineData(" ;; \n -- nothing\n;")]
    [InlineData("\uFEFFSELECT 1", "SELECT 1")]
    public void Statements_end_at_semicolons_outside_quotes_and_comments(string script, params string[] statements) =>
        Assert.Equal(statements, SqlStatement.Split(script).Select(statement => statement.Text));

    [Fact]
    public void A_statement_knows_its_line_and_that_of_a_position_in_it()
    {
        var second = SqlStatement.Split("SELECT 1;\n\n-- a comment\nSELECT\n  2,\n  oops;")[1];

        Assert.Equal(4, second.Line);
        Assert.Equal(4, second.LineAt(0));
        Assert.Equal(6, second.LineAt(second.Text.IndexOf("oops", StringComparison.Ordinal) + 1));
    }
}
