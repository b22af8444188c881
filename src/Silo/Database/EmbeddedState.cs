using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Actors.Silo.CommandLine;

namespace Actors.Silo.Database;

/// <summary>What we must remember of an embedded database between starts: `embedded.json`, mode 0600.</summary>
internal sealed record EmbeddedState
{
    /// <summary>The port of the last start, on 127.0.0.1; 0 before the first.</summary>
    public int Port { get; init; }

    public required string SuperuserPassword { get; init; }

    public required string OwnerPassword { get; init; }

    public required string SiloPassword { get; init; }

    public required string ApiPassword { get; init; }

    /// <summary>Whether login `actors_owner` and database `actors` have been made.</summary>
    public bool IsProvisioned { get; init; }

    public static EmbeddedState Create() => new()
    {
        SuperuserPassword = NewPassword(),
        OwnerPassword = NewPassword(),
        SiloPassword = NewPassword(),
        ApiPassword = NewPassword(),
    };

    /// <summary>The state in a folder, or null when it has none.</summary>
    /// <exception cref="CommandFailure">The file is there and cannot be read.</exception>
    public static EmbeddedState? Load(DataFolder folder)
    {
        try
        {
            return File.Exists(folder.State)
                ? JsonSerializer.Deserialize(File.ReadAllBytes(folder.State), EmbeddedStateJson.Default.EmbeddedState)
                : null;
        }
        catch (Exception e) when (e is JsonException or UnauthorizedAccessException)
        {
            throw new CommandFailure(
                ExitCode.DataFolderUnusable,
                $"{folder.State}, which holds the passwords of the embedded database, cannot be read ({e.Message}): "
                + "restore it, or name another data folder with --data DIR.",
                e);
        }
    }

    /// <summary>Replaces the file in one step, so that a kill leaves the old or the new one, never a part.</summary>
    public void Save(DataFolder folder)
    {
        var draft = folder.State + ".new";
        File.Delete(draft);
        using (var file = new FileStream(draft, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }))
        {
            JsonSerializer.Serialize(file, this, EmbeddedStateJson.Default.EmbeddedState);
            file.Flush(flushToDisk: true);
        }

        File.Move(draft, folder.State, overwrite: true);
    }

    // Hexadecimal, so that it needs no quoting in SQL, in a URL or in a shell.
    private static string NewPassword() => RandomNumberGenerator.GetHexString(40, lowercase: true);
}

[JsonSerializable(typeof(EmbeddedState))]
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class EmbeddedStateJson : JsonSerializerContext;
