namespace Actors.Api.Access;

/// <summary>
/// What an API key may do: `trigger` (start runs), `read` (see everything), `admin` (both, and change what admins
/// may). A word that is none of these gives nothing.
/// </summary>
public sealed class ApiKeyScopes
{
    /// <summary>What new keys may do unless told otherwise.</summary>
    public static readonly ApiKeyScopes TriggerOnly = new([AccessPolicies.Trigger]);

    /// <summary>All scopes that there are, from the least to the most.</summary>
    public static readonly IReadOnlyList<string> Known =
        [AccessPolicies.Trigger, AccessPolicies.Read, AccessPolicies.Admin];

    private ApiKeyScopes(IReadOnlyList<string> words) => Words = words;

    /// <summary>As they are stored: each once, from the least to the most.</summary>
    public IReadOnlyList<string> Words { get; }

    /// <summary>The database role that the key acts as, by the highest of its scopes.</summary>
    public CallerRole Role =>
        Words.Contains(AccessPolicies.Admin) ? CallerRole.Admin
        : Words.Contains(AccessPolicies.Read) ? CallerRole.Reader
        : CallerRole.Trigger;

    /// <summary>The scopes that are named, without those that do not exist.</summary>
    public static ApiKeyScopes Of(IEnumerable<string> words)
    {
        var named = words.ToHashSet(StringComparer.Ordinal);
        return new ApiKeyScopes([.. Known.Where(named.Contains)]);
    }

    /// <summary>Whether a key may do what a policy asks for.</summary>
    /// <param name="scope">One of <see cref="Known"/>.</param>
    public bool Admit(string scope) => Words.Contains(scope) || Words.Contains(AccessPolicies.Admin);

    public override string ToString() => string.Join(", ", Words);
}
