using System.Security.Claims;

namespace Actors.Api.Access;

/// <summary>Who makes a request, as PostgreSQL is told.</summary>
/// <param name="Id">What stays the same over all requests of this caller: a key's id, or a user's `sub`.</param>
/// <param name="Name">Under which its deeds are recorded.</param>
/// <param name="Role">What its statements run as.</param>
/// <param name="Claims">
/// A JSON object, the setting `request.jwt.claims` of its transactions, by which policies and functions know it.
/// </param>
public sealed record Caller(string Id, string Name, CallerRole Role, string Claims)
{
    private const string IdClaim = "actors.id";
    private const string RoleClaim = "actors.role";
    private const string SettingClaim = "actors.claims";

    /// <summary>The caller of an authenticated request.</summary>
    /// <exception cref="InvalidOperationException">The principal was not made by <see cref="ToPrincipal"/>.</exception>
    public static Caller Of(ClaimsPrincipal principal)
    {
        ArgumentNullException.ThrowIfNull(principal);
        return new Caller(
            Required(IdClaim),
            Required(ClaimTypes.Name),
            Enum.Parse<CallerRole>(Required(RoleClaim)),
            Required(SettingClaim));

        string Required(string type) => principal.FindFirst(type)?.Value
            ?? throw new InvalidOperationException($"The principal of the request has no claim '{type}'.");
    }

    /// <summary>The principal that carries this caller through a request.</summary>
    /// <param name="scheme">How it was authenticated.</param>
    public ClaimsPrincipal ToPrincipal(string scheme) => new(new ClaimsIdentity(
        [
            new Claim(IdClaim, Id),
            new Claim(ClaimTypes.Name, Name),
            new Claim(RoleClaim, Role.ToString()),
            new Claim(SettingClaim, Claims),
        ],
        scheme));
}
