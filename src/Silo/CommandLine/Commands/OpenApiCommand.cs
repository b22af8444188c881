using System.CommandLine;
using Actors.Api.Contract;

namespace Actors.Silo.CommandLine.Commands;

/// <summary>`./actors openapi`: prints the API's OpenAPI document; needs no database.</summary>
public static class OpenApiCommand
{
    public static Command Create()
    {
        var command = new Command("openapi", "Print the API's OpenAPI 3.1 document.");
        command.SetAction(async (arguments, cancellationToken) =>
        {
            using var document = new MemoryStream();
            await ApiDocument.WriteAsync(document, cancellationToken);
            document.Position = 0;
            using var text = new StreamReader(document);
            await arguments.InvocationConfiguration.Output.WriteAsync(
                (await text.ReadToEndAsync(cancellationToken)).AsMemory(), cancellationToken);
            return (int)ExitCode.Ok;
        });
        return command;
    }
}
