using Microsoft.AspNetCore.Builder;

namespace Actors.Api.Requests;

/// <summary>A header that an address reads, for the API's document; its handler reads and checks it.</summary>
/// <param name="Name">As it is usually written.</param>
/// <param name="Description">For whoever reads the document, a sentence.</param>
/// <param name="IsRequired">Whether a request without it is refused.</param>
public sealed record DocumentedHeader(string Name, string Description, bool IsRequired = false);

/// <summary>How addresses declare the headers that they read.</summary>
public static class HeaderDocumentation
{
    public static TBuilder ReadsHeader<TBuilder>(
        this TBuilder endpoint, string name, string description, bool isRequired = false)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoint.Add(builder => builder.Metadata.Add(new DocumentedHeader(name, description, isRequired)));
        return endpoint;
    }
}
