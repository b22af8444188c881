namespace Actors.Api.Access;

/// <summary>
/// The database role that a caller's statements run as. There is one name for each, so that nothing that a request
/// carries is ever used as the name of a role.
/// </summary>
public enum CallerRole
{
    /// <summary>An API key that may start runs and see what became of its own.</summary>
    Trigger,

    /// <summary>An API key that may read everything, and change nothing.</summary>
    Reader,

    /// <summary>An API key that may do all that the API can.</summary>
    Admin,

    /// <summary>A person with a token; row-level security knows what this one may see.</summary>
    User,

    /// <summary>A program with a token of the platform's own service.</summary>
    Service,
}

/// <summary>The fixed table from callers to roles of the database.</summary>
public static class CallerRoles
{
    /// <summary>The name of the database role.</summary>
    public static string DatabaseRole(this CallerRole role) => role switch
    {
        CallerRole.Trigger => "actors_trigger",
        CallerRole.Reader => "actors_reader",
        CallerRole.Admin => "actors_admin",
        CallerRole.User => "authenticated",
        CallerRole.Service => "service_role",
        _ => throw new ArgumentOutOfRangeException(nameof(role), role, "no database role is known for this caller"),
    };
}
