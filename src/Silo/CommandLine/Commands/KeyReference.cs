using Actors.Api.Access;
using Actors.Api.Requests;
using NodaTime.Text;

namespace Actors.Silo.CommandLine.Commands;

/// <summary>Which key somebody means by a name, an id, or the beginning of an id.</summary>
internal static class KeyReference
{
    private const int ShortestId = 8;

    /// <summary>
    /// The key that is meant. Of keys with the name it is the live one; where none is live, the newest, and rather an
    /// expired one than one that is revoked.
    /// </summary>
    /// <exception cref="CommandFailure">There is none, or more than one that is live.</exception>
    public static ApiKeyRow Find(string text, IReadOnlyList<ApiKeyRow> keys)
    {
        var named = keys.Where(key => key.Name == text).ToList();
        if (named.Count == 0) return FindById(text, keys) ?? throw Unknown(text, keys);
        var live = named.Where(key => key.IsLive).ToList();
        return live.Count switch
        {
            0 => named.OrderBy(key => key.RevokedAt is null).ThenBy(key => key.CreatedAt).Last(),
            1 => live[0],
            _ => throw new CommandFailure(
                ExitCode.BadInput,
                $"There are {live.Count} live keys named '{text}': name one by the beginning of its id, "
                + $"{string.Join(" or ", live.Select(Describe))}. Nothing was changed."),
        };
    }

    private static ApiKeyRow? FindById(string text, IReadOnlyList<ApiKeyRow> keys)
    {
        if (text.Length < ShortestId) return null;
        var found = keys.Where(key => key.Id.ToString().StartsWith(text, StringComparison.OrdinalIgnoreCase)).ToList();
        return found.Count > 1
            ? throw new CommandFailure(
                ExitCode.BadInput, $"The ids of {found.Count} keys begin with '{text}': give more of it.")
            : found.SingleOrDefault();
    }

    private static CommandFailure Unknown(string text, IReadOnlyList<ApiKeyRow> keys) => new(
        ExitCode.BadInput,
        $"There is no API key '{text}'"
        + (NearestName.Of(text, keys.Select(key => key.Name)) is { } near ? $"; did you mean '{near}'?" : ".")
        + " `./actors key list` shows all.");

    private static string Describe(ApiKeyRow key) => key.ShortId + (key.LastUsedAt is { } used
        ? $" (made {InstantPattern.General.Format(key.CreatedAt)}, last used {InstantPattern.General.Format(used)})"
        : $" (made {InstantPattern.General.Format(key.CreatedAt)}, never used)");
}
