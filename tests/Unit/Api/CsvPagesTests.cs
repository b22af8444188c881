using Actors.Api.Answers;
using Xunit;

namespace Actors.Tests.Unit.Api;

public sealed class CsvPagesTests
{
    [Theory]
    [InlineData(0, 1)]
    [InlineData(1_999, 1)]
    [InlineData(2_000, 2)]
    [InlineData(2_001, 2)]
    [InlineData(4_001, 3)]
    [InlineData(200_000, 50)]
    public async Task All_rows_come_in_pages_up_to_what_a_file_may_have(int there, int expectedPages)
    {
        var pages = 0;
        var rows = await CsvPages.AllAsync<int>(ReadAsync, row => [row], TestContext.Current.CancellationToken)
            .ToListAsync(TestContext.Current.CancellationToken);

        Assert.Equal(Enumerable.Range(1, Math.Min(there, Csv.MostRows)), rows);
        Assert.Equal(expectedPages, pages);

        Task<IReadOnlyList<int>> ReadAsync(object?[]? after, int count, CancellationToken cancellationToken)
        {
            pages++;
            var last = (int?)after?[0] ?? 0;
            return Task.FromResult<IReadOnlyList<int>>([.. Enumerable.Range(last + 1, Math.Min(count, there - last))]);
        }
    }

    [Theory]
    [InlineData("later_of_two", "laterOfTwo")]
    [InlineData("success", "success")]
    [InlineData("settings_changed", "settingsChanged")]
    public void Words_of_the_database_are_written_in_camelCase(string word, string written) =>
        Assert.Equal(written, DatabaseWord.InAnswers(word));
}
