using System.Text;
using System.Text.Json;
using Actors.Api.Requests;

namespace Actors.Api.Access;

/// <summary>
/// Who a token's caller is, once the token is known to be good. Its role is looked up in a fixed table; nothing else
/// that it says decides anything here. Whether its user is an admin is for `user_roles` to say.
/// </summary>
internal static class TokenCaller
{
    private const int MaxNameLength = 320;

    /// <summary>The caller, or null where the token's role is not let in or its user has no id.</summary>
    /// <param name="payload">A JSON object in UTF-8.</param>
    public static Caller? Of(byte[] payload)
    {
        using var token = JsonDocument.Parse(payload);
        var (role, subject) = (Text(token.RootElement, "role"), Text(token.RootElement, "sub"));
        var name = NameIn(token.RootElement);
        return role switch
        {
            "authenticated" when Guid.TryParseExact(subject, "D", out var user) => new Caller(
                user.ToString(), name ?? subject, CallerRole.User, Claims(payload, role, subject)),
            // Two services of one issuer are two callers: each has its own limits and its own Idempotency-Keys.
            "service_role" => new Caller(
                OneLine(subject) is { } service ? $"{role}:{service}" : role,
                name ?? OneLine(subject) ?? role, CallerRole.Service, Claims(payload, role, null)),
            _ => null,
        };
    }

    // The whole payload, since the application's own policies may look at any of it; or, where PostgreSQL could not
    // read that as JSON, only who it is.
    private static string Claims(byte[] payload, string role, string? subject) => IsReadByPostgres(payload)
        ? Encoding.UTF8.GetString(payload)
        : JsonSerializer.Serialize(new Dictionary<string, string?> { ["role"] = role, ["sub"] = subject });

    // Its jsonb has neither NUL nor half a surrogate pair, and its numbers end somewhere.
    private static bool IsReadByPostgres(byte[] json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            while (reader.Read())
            {
                var isFit = reader.TokenType switch
                {
                    JsonTokenType.String or JsonTokenType.PropertyName => PlainText.IsStorable(reader.GetString()!),
                    JsonTokenType.Number => reader.TryGetDouble(out var number) && double.IsFinite(number),
                    _ => true,
                };
                if (!isFit) return false;
            }

            return true;
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair, written as an escape.
            return false;
        }
    }

    // `name` is what people call themselves in many an issuer's profile; deeds are recorded under what it vouches for.
    private static string? NameIn(JsonElement token) =>
        OneLine(Text(token, "email"));

    private static string? OneLine(string? text) =>
        text is { Length: > 0 and <= MaxNameLength } && PlainText.IsOneLine(text) ? text : null;

    private static string? Text(JsonElement token, string claim)
    {
        try
        {
            return token.TryGetProperty(claim, out var value) && value.ValueKind == JsonValueKind.String
                ? value.GetString()
                : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
