using System.CommandLine;
using Actors.Api.Access;
using Actors.Api.Requests;
using NodaTime;
using NodaTime.Text;
using Npgsql;

namespace Actors.Silo.CommandLine.Commands;

/// <summary>
/// `./actors key create|list|rotate|revoke`: the keys by which other programs call the API. A new key alone goes to
/// standard output, once, so that it can be piped into a secret store; everything else about it goes to standard error.
/// Only its hash is stored, and no command shows it again.
/// </summary>
public static class KeyCommand
{
    private const string ExpiryForms = "90d, 12h, a date (its first instant in UTC) or an instant.";

    public static Command Create(GlobalOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new Command("key", "API keys, by which other programs call the API.")
        {
            CreateCreate(options), CreateList(options), CreateRotate(options), CreateRevoke(options),
        };
    }

    private static Command CreateCreate(GlobalOptions options)
    {
        var name = new Option<string>("--name")
        {
            Description = $"Who will use the key, 1 to {ApiKeyName.MaxLength} characters; its runs are recorded under "
                + "this name.",
            Required = true,
            HelpName = "NAME",
        };
        var scope = new Option<string[]>("--scope")
        {
            Description = "What the key may do: trigger (start runs), read (see everything), admin (both, and change "
                + "what admins may). More than one may be given. Default: trigger.",
            HelpName = "SCOPE",
            AllowMultipleArgumentsPerToken = true,
        };
        var expires = Expires("--expires", "When the key stops working: " + ExpiryForms + " Default: never.");
        var command = new Command("create", "Makes an API key and prints it once.") { name, scope, expires };
        command.SetAction((arguments, cancellationToken) =>
        {
            var newName = NameIn(arguments.GetRequiredValue(name));
            var scopes = ScopesIn(arguments.GetValue(scope));
            var make = Managing(options, async (keys, _, _) =>
            {
                var end = await EndAsync(keys, expires, arguments, cancellationToken);
                var key = ApiKey.Create();
                if (!await keys.AddAsync(newName, key, scopes, end, cancellationToken))
                {
                    throw new CommandFailure(
                        ExitCode.BadInput,
                        $"There is an API key named '{newName}' already; choose another name, or make a successor "
                        + $"with: ./actors key rotate '{newName}'");
                }

                await HandOverAsync(
                    arguments, key, $"This is the API key '{newName}' with the scope {scopes}; {Until(end)}.");
            });
            return make(arguments, cancellationToken);
        });
        return command;
    }

    private static Command CreateList(GlobalOptions options)
    {
        var command = new Command("list", "Shows every key with its scopes, times and state; never the key itself.");
        command.SetAction(Managing(options, async (keys, arguments, cancellationToken) =>
        {
            var console = arguments.InvocationConfiguration;
            var rows = await keys.ListAsync(cancellationToken);
            if (rows.Count == 0)
                await console.Error.WriteLineAsync("There is no API key; ./actors key create --name NAME makes one.");
            else
                foreach (var line in KeyTable.Lines(rows)) await console.Output.WriteLineAsync(line);
        }));
        return command;
    }

    private static Command CreateRotate(GlobalOptions options)
    {
        var name = new Argument<string>("NAME") { Description = "The name of the key to follow." };
        var expires = Expires("--expires", "When the new key stops working: " + ExpiryForms + " Default: never.");
        var keep = Expires("--keep", "When the earlier keys of the name stop working: " + ExpiryForms
            + " Default: when they are revoked.");
        var command = new Command(
            "rotate", "Makes a successor with the same name and scopes, and prints it once; both work meanwhile.")
        {
            name, expires, keep,
        };
        command.SetAction(Managing(options, async (keys, arguments, cancellationToken) =>
        {
            var key = ApiKey.Create();
            var named = arguments.GetRequiredValue(name);
            var end = await EndAsync(keys, expires, arguments, cancellationToken);
            var oldEnd = await EndAsync(keys, keep, arguments, cancellationToken);
            var old = await keys.RotateAsync(named, key, end, oldEnd, cancellationToken);
            if (old.Count == 0)
                throw NothingToFollow(KeyReference.Find(named, await keys.ListAsync(cancellationToken)));

            await HandOverAsync(
                arguments, key, $"This is the new API key '{old[0].Name}' with the scope "
                    + $"{ApiKeyScopes.Of(old[0].Scopes)}; {Until(end)}.");
            foreach (var row in old)
                await arguments.InvocationConfiguration.Error.WriteLineAsync(
                    $"The earlier one, {row.ShortId}, {Until(row.ExpiresAt)}; end it with: ./actors key revoke "
                    + row.ShortId);
        }));
        return command;
    }

    private static CommandFailure NothingToFollow(ApiKeyRow found) => new(
        ExitCode.BadInput,
        found.IsLive
            ? $"A key is rotated by its name: ./actors key rotate '{found.Name}'"
            : $"The key '{found.Name}' is {found.State}; make a new one with: "
                + $"./actors key create --name '{found.Name}'");

    private static Command CreateRevoke(GlobalOptions options)
    {
        var which = new Argument<string>("NAME|ID")
        {
            Description = "The name of the key, or the beginning of its id as `key list` shows it.",
        };
        var command = new Command("revoke", "Refuses a key from now on. Revoking it again changes nothing.") { which };
        command.SetAction(Managing(options, async (keys, arguments, cancellationToken) =>
        {
            var key = KeyReference.Find(
                arguments.GetRequiredValue(which), await keys.ListAsync(cancellationToken));
            var revoked = await keys.RevokeAsync(key.Id, cancellationToken);
            await arguments.InvocationConfiguration.Output.WriteLineAsync(key.RevokedAt is { } since
                ? $"The API key '{key.Name}' ({key.ShortId}) was revoked at {InstantPattern.General.Format(since)} "
                    + "already; nothing was changed."
                : $"Revoked the API key '{key.Name}' ({key.ShortId}): it is refused from now on"
                    + (revoked is null ? ", and was taken out of the table meanwhile." : "."));
        }));
        return command;
    }

    private static Option<string?> Expires(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "TIME",
    };

    private static ApiKeyName NameIn(string text) => ApiKeyName.Parse(text, out var advice)
        ?? throw new CommandFailure(ExitCode.BadInput, advice!);

    private static ApiKeyScopes ScopesIn(string[]? given)
    {
        var words = (given ?? []).SelectMany(text => text.Split(',', StringSplitOptions.TrimEntries)).ToList();
        foreach (var word in words.Where(word => !ApiKeyScopes.Known.Contains(word)))
        {
            throw new CommandFailure(
                ExitCode.BadInput,
                $"There is no scope '{word}'" + (NearestName.Of(word, ApiKeyScopes.Known) is { } near
                    ? $"; did you mean '{near}'?"
                    : $"; there are {string.Join(", ", ApiKeyScopes.Known)}."));
        }

        return words.Count == 0 ? ApiKeyScopes.TriggerOnly : ApiKeyScopes.Of(words);
    }

    private static async Task<Instant?> EndAsync(
        ApiKeyStore keys, Option<string?> option, ParseResult arguments, CancellationToken cancellationToken) =>
        arguments.GetValue(option) is { } text
            ? KeyExpiry.Read(option.Name, text, await keys.NowAsync(cancellationToken))
            : null;

    private static string Until(Instant? end) =>
        end is { } at ? $"it works until {InstantPattern.General.Format(at)}" : "it works until it is revoked";

    private static async Task HandOverAsync(ParseResult arguments, ApiKey key, string what)
    {
        var console = arguments.InvocationConfiguration;
        await console.Output.WriteLineAsync(key.Reveal());
        await console.Error.WriteLineAsync(
            $"{what} It is shown only this once: keep it where secrets are kept, and send it in the X-API-Key header.");
    }

    private static Func<ParseResult, CancellationToken, Task<int>> Managing(
        GlobalOptions options, Func<ApiKeyStore, ParseResult, CancellationToken, Task> manage) =>
        (arguments, cancellationToken) => ManageAsync(options, manage, arguments, cancellationToken);

    private static async Task<int> ManageAsync(
        GlobalOptions options, Func<ApiKeyStore, ParseResult, CancellationToken, Task> manage, ParseResult arguments,
        CancellationToken cancellationToken)
    {
        await using var database = await CommandDatabase.OpenAsync(options, arguments, cancellationToken);
        await using var source = NpgsqlDataSource.Create(database.OwnerConnectionString);
        try
        {
            await manage(new ApiKeyStore(source), arguments, cancellationToken);
            return (int)ExitCode.Ok;
        }
        catch (PostgresException refusal) when (refusal.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            throw new CommandFailure(
                ExitCode.SchemaMismatch,
                "The database has no table api_keys; bring it up to date with: ./actors migrate up",
                refusal);
        }
        catch (PostgresException refusal) when (refusal.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new CommandFailure(
                ExitCode.MissingRights,
                "This login may not manage API keys: use the owner of the table api_keys, or a member of service_role.",
                refusal);
        }
        catch (PostgresException refusal) when (refusal.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            throw new CommandFailure(
                ExitCode.SchemaMismatch,
                "This database takes one key of a name only; bring it up to date with: ./actors migrate up",
                refusal);
        }
    }
}
