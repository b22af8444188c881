using System.Text.Json;
using Actors.Api;
using Microsoft.AspNetCore.Http.Json;

namespace Actors.Tests.Unit.Api;

/// <summary>JSON exactly as the API writes it.</summary>
internal static class WebJson
{
    private static readonly JsonSerializerOptions Options = MakeOptions();

    public static string Of<T>(T value) => JsonSerializer.Serialize(value, Options);

    private static JsonSerializerOptions MakeOptions()
    {
        var options = new JsonOptions().SerializerOptions;
        ApiJson.Configure(options);
        return options;
    }
}
