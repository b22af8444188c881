using Actors.Silo.CommandLine;
using Actors.Silo.Database;

// A process for tests to end or to kill: holds the embedded database in a folder, for a purpose, until its input ends.
var options = new EmbeddedPostgresOptions { Folder = args[0], Purpose = Enum.Parse<EmbeddedPurpose>(args[1]) };
try
{
    await using var embedded = await EmbeddedPostgres.StartAsync(options, CancellationToken.None);
    Console.WriteLine(embedded.OwnerConnectionString);
    await Console.In.ReadToEndAsync();
    return (int)ExitCode.Ok;
}
catch (CommandFailure failure)
{
    await Console.Error.WriteLineAsync(failure.Message);
    return (int)failure.Code;
}
