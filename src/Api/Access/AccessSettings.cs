namespace Actors.Api.Access;

/// <summary>What an operator decides about access; all of it has a default.</summary>
public sealed record AccessSettings
{
    /// <summary>Whose tokens are taken; null: none, and API keys alone let somebody in.</summary>
    public JwtSettings? Tokens { get; init; }

    /// <summary>How much is asked at most.</summary>
    public ApiLimits Limits { get; init; } = new();
}
