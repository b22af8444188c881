using System.Data.Common;
using System.Globalization;
using Actors.Silo.CommandLine;
using Npgsql;

namespace Actors.Silo.Database;

/// <summary>
/// How a person names a database: a `postgres://` (or `postgresql://`) URL as psql takes it, or a connection string as
/// Npgsql takes it (`Host=…;Username=…`). What is wrong is named in the error; the password never is.
/// </summary>
public static class DatabaseUrl
{
    private const string Shape = "postgres://USER:PASSWORD@HOST:5432/DATABASE";

    // The parameters of a libpq URL that Npgsql has an equal for.
    private static readonly Dictionary<string, string> KeywordOf = new(StringComparer.Ordinal)
    {
        ["host"] = "Host",
        ["port"] = "Port",
        ["user"] = "Username",
        ["password"] = "Password",
        ["dbname"] = "Database",
        ["sslmode"] = "SSL Mode",
        ["sslnegotiation"] = "SSL Negotiation",
        ["sslrootcert"] = "Root Certificate",
        ["sslcert"] = "SSL Certificate",
        ["sslkey"] = "SSL Key",
        ["sslpassword"] = "SSL Password",
        ["channel_binding"] = "Channel Binding",
        ["gssencmode"] = "GSS Encryption Mode",
        ["krbsrvname"] = "Kerberos Service Name",
        ["application_name"] = "Application Name",
        ["connect_timeout"] = "Timeout",
        ["options"] = "Options",
        ["client_encoding"] = "Client Encoding",
        ["target_session_attrs"] = "Target Session Attributes",
    };

    // The words of sslmode and the like are written with hyphens in a URL, and in one word by Npgsql.
    private static readonly HashSet<string> WordValued =
        ["sslmode", "sslnegotiation", "channel_binding", "gssencmode", "target_session_attrs"];

    /// <summary>Reads a URL or a connection string. It must name a host.</summary>
    /// <exception cref="CommandFailure">It cannot be read.</exception>
    public static NpgsqlConnectionStringBuilder Parse(string text)
    {
        var trimmed = text.Trim();
        var scheme = trimmed.IndexOf("://", StringComparison.Ordinal);
        // "Host=x;Password=a://b" is a connection string too.
        var isUrl = scheme > 0 && trimmed.AsSpan(0, scheme).IndexOfAnyExceptInRange('a', 'z') < 0;
        var builder = isUrl ? ParseUrl(trimmed, scheme) : ParseKeywords(trimmed);
        return string.IsNullOrWhiteSpace(builder.Host)
            ? throw Wrong($"it names no host; write {Shape} or Host=HOST;Username=USER;Password=…;Database=DATABASE")
            : builder;
    }

    /// <summary>The same database as a URL that psql takes. What only Npgsql knows (pooling …) is left out.</summary>
    public static string Format(NpgsqlConnectionStringBuilder builder)
    {
        var host = builder.Host ?? "";
        var name = host switch
        {
            _ when host.StartsWith('/') => Uri.EscapeDataString(host),
            _ when host.Contains(',', StringComparison.Ordinal) => host,
            _ when host.Contains(':', StringComparison.Ordinal) && !host.StartsWith('[') => $"[{host}]",
            _ => host,
        };
        var user = builder.Username is null ? "" : Uri.EscapeDataString(builder.Username);
        var password = builder.Password is null ? "" : ":" + Uri.EscapeDataString(builder.Password);
        var login = user.Length + password.Length == 0 ? "" : $"{user}{password}@";
        var port = host.Contains(',', StringComparison.Ordinal)
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $":{builder.Port}");
        var parameters = KeywordOf.Skip(5)
            .Where(p => builder.ShouldSerialize(p.Value) && builder[p.Value] is not null)
            .Select(p => $"{p.Key}={Uri.EscapeDataString(ValueForUrl(p.Key, builder[p.Value]))}")
            .ToList();
        var query = parameters.Count == 0 ? "" : "?" + string.Join('&', parameters);
        return $"postgres://{login}{name}{port}/{Uri.EscapeDataString(builder.Database ?? "")}{query}";
    }

    private static NpgsqlConnectionStringBuilder ParseUrl(string text, int schemeLength)
    {
        if (text[..schemeLength] is not ("postgres" or "postgresql"))
            throw Wrong($"a URL starts with postgres:// or postgresql://, not with {text[..schemeLength]}://");
        var rest = text[(schemeLength + 3)..];
        var queryStart = rest.IndexOf('?', StringComparison.Ordinal);
        var query = queryStart < 0 ? "" : rest[(queryStart + 1)..];
        var body = queryStart < 0 ? rest : rest[..queryStart];
        var pathStart = body.IndexOf('/', StringComparison.Ordinal);
        var authority = pathStart < 0 ? body : body[..pathStart];
        var database = pathStart < 0 ? "" : body[(pathStart + 1)..];
        if (database.Contains('@', StringComparison.Ordinal) || database.Contains('/', StringComparison.Ordinal))
            throw Wrong("a / stands before the end of the host; write / as %2F and ? as %3F in user name and password");

        var builder = new NpgsqlConnectionStringBuilder();
        var at = authority.LastIndexOf('@');
        if (at >= 0)
        {
            var login = authority[..at].Split(':', 2);
            builder.Username = Unescaped("the user name", login[0]);
            if (login.Length > 1)
                builder.Password = Unescaped("the password", login[1]);
        }

        SetHost(builder, authority[(at + 1)..]);
        if (database.Length > 0)
            builder.Database = Unescaped("the database name", database);
        foreach (var parameter in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
            SetParameter(builder, parameter);
        return builder;
    }

    private static void SetHost(NpgsqlConnectionStringBuilder builder, string text)
    {
        if (text.Length == 0)
            return;
        // Several hosts, each with its port: Npgsql reads the list as it stands.
        if (text.Contains(',', StringComparison.Ordinal))
        {
            builder.Host = text;
            return;
        }

        var bracket = text.LastIndexOf(']');
        var colon = text.IndexOf(':', bracket + 1);
        if (text.StartsWith('[') != bracket > 0)
            throw Wrong("an IPv6 address stands in square brackets, as in postgres://user@[::1]:5432/database");
        var host = colon < 0 ? text : text[..colon];
        builder.Host = Unescaped("the host", host.Trim('[', ']'));
        if (colon < 0 || colon == text.Length - 1)
            return;
        if (!int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            || port is < 1 or > 65535)
        {
            throw Wrong("the port after the host is no number from 1 to 65535");
        }

        builder.Port = port;
    }

    private static void SetParameter(NpgsqlConnectionStringBuilder builder, string parameter)
    {
        var parts = parameter.Split('=', 2);
        if (!KeywordOf.TryGetValue(parts[0], out var keyword))
        {
            throw Wrong($"the parameter '{parts[0]}' is not known here; known are {string.Join(", ", KeywordOf.Keys)}. "
                + "Npgsql's own settings go into a connection string (Host=…;…)");
        }

        var value = Unescaped($"the parameter '{parts[0]}'", parts.Length > 1 ? parts[1] : "");
        Set(builder, keyword, parts[0], WordValued.Contains(parts[0]) ? WordForNpgsql(parts[0], value) : value);
    }

    private static NpgsqlConnectionStringBuilder ParseKeywords(string text)
    {
        DbConnectionStringBuilder pairs;
        try
        {
            pairs = new DbConnectionStringBuilder { ConnectionString = text };
        }
        catch (ArgumentException)
        {
            throw Wrong($"it is neither a URL ({Shape}) nor a connection string (Host=…;Username=…;Password=…)");
        }

        var builder = new NpgsqlConnectionStringBuilder();
        foreach (string keyword in pairs.Keys!)
            Set(builder, keyword, keyword, (string)pairs[keyword]);
        return builder;
    }

    private static void Set(NpgsqlConnectionStringBuilder builder, string keyword, string asWritten, string value)
    {
        if (!builder.ContainsKey(keyword))
            throw Wrong($"the keyword '{asWritten}' is not one of Npgsql's");
        try
        {
            builder[keyword] = value;
        }
        catch (Exception e)
            when (e is ArgumentException or FormatException or InvalidCastException or OverflowException)
        {
            // The value is left out: somebody may have put a password there by mistake.
            throw Wrong($"the value of '{asWritten}' cannot be used");
        }
    }

    private static string WordForNpgsql(string parameter, string value) => (parameter, value) switch
    {
        // Here Npgsql keeps the hyphens.
        ("target_session_attrs", _) => value,
        _ => value.Replace("-", "", StringComparison.Ordinal),
    };

    private static string ValueForUrl(string parameter, object value) => (parameter, value) switch
    {
        (_, SslMode.VerifyCA) => "verify-ca",
        (_, SslMode.VerifyFull) => "verify-full",
        _ when WordValued.Contains(parameter) => value.ToString()!.ToLowerInvariant(),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static string Unescaped(string what, string text)
    {
        for (var at = text.IndexOf('%', StringComparison.Ordinal); at >= 0; at = text.IndexOf('%', at + 1))
        {
            if (at + 2 >= text.Length || !char.IsAsciiHexDigit(text[at + 1]) || !char.IsAsciiHexDigit(text[at + 2]))
                throw Wrong($"a % in {what} is not followed by two hexadecimal digits; write % itself as %25");
        }

        return Uri.UnescapeDataString(text);
    }

    private static CommandFailure Wrong(string why) =>
        new(ExitCode.Usage, $"The database's name (--database or ACTORS_DATABASE) cannot be read: {why}.");
}
