using System.CommandLine;
using Actors.Api.Access;
using Npgsql;

namespace Actors.Silo.CommandLine.Commands;

/// <summary>
/// `./actors key create --name N`: makes an API key. The key alone goes to standard output, once, so that it can be
/// piped into a secret store; everything else goes to standard error. Only the key's hash is stored.
/// </summary>
public static class KeyCommand
{
    public static Command Create(GlobalOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var name = new Option<string>("--name")
        {
            Description = $"Who will use the key, 1 to {ApiKeyName.MaxLength} characters; its runs are recorded under "
                + "this name.",
            Required = true,
            HelpName = "NAME",
        };
        var create = new Command("create", "Makes an API key that may trigger runs, and prints it once.") { name };
        create.SetAction((arguments, cancellationToken) =>
            CreateKeyAsync(options, arguments, arguments.GetRequiredValue(name), cancellationToken));
        return new Command("key", "API keys, by which other programs call the API.") { create };
    }

    private static async Task<int> CreateKeyAsync(
        GlobalOptions options, ParseResult arguments, string nameText, CancellationToken cancellationToken)
    {
        var name = ApiKeyName.Parse(nameText, out var advice)
            ?? throw new CommandFailure(ExitCode.BadInput, advice!);
        await using var database = await CommandDatabase.OpenAsync(options, arguments, cancellationToken);
        await using var source = NpgsqlDataSource.Create(database.OwnerConnectionString);

        var key = ApiKey.Create();
        if (!await AddAsync(new ApiKeyStore(source), name, key, cancellationToken))
            throw new CommandFailure(
                ExitCode.BadInput, $"There is an API key named '{name}' already; choose another name.");

        var console = arguments.InvocationConfiguration;
        await console.Output.WriteLineAsync(key.Reveal());
        await console.Error.WriteLineAsync(
            $"This is the API key '{name}'. It is shown only this once: keep it where secrets are kept, and send it "
            + "in the X-API-Key header.");
        return (int)ExitCode.Ok;
    }

    private static async Task<bool> AddAsync(
        ApiKeyStore keys, ApiKeyName name, ApiKey key, CancellationToken cancellationToken)
    {
        try
        {
            return await keys.AddAsync(name, key, cancellationToken);
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
                "This login may not add API keys: use the owner of the table api_keys, or a member of service_role.",
                refusal);
        }
        catch (PostgresException refusal) when (refusal.SqlState == PostgresErrorCodes.ReadOnlySqlTransaction)
        {
            throw new CommandFailure(
                ExitCode.DatabaseUnsuitable, "The database is read-only: name its primary with --database.", refusal);
        }
        catch (NpgsqlException failure) when (failure is not PostgresException)
        {
            throw new CommandFailure(
                ExitCode.DatabaseUnreachable,
                $"The database does not answer ({failure.Message}): check --database and that PostgreSQL runs.",
                failure);
        }
    }
}
