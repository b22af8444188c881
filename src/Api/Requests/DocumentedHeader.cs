using Microsoft.AspNetCore.Builder;

namespace Actors.Api.Requests;

/// <summary>A header that an address reads, for the API's document; its handler reads and checks it.</summary>
/// <param name="Name">As it is usually written.</param>
/// <param name="Description">For whoever reads the document, a sentence.</param>
/// <param name="IsRequired">Whether a request without it is refused.</param>
public sealed record DocumentedHeader(string Name, string Description, bool IsRequired = false);

/// <summary>A header that an address answers with, for the API's document.</summary>
/// <param name="Name">As it is usually written.</param>
/// <param name="Description">For whoever reads the document, a sentence.</param>
/// <param name="Statuses">The answers that may have it.</param>
public sealed record DocumentedAnswerHeader(string Name, string Description, IReadOnlyList<int> Statuses);

/// <summary>How addresses declare the headers that they read, and those that they answer with.</summary>
public static class HeaderDocumentation
{
    public static TBuilder ReadsHeader<TBuilder>(
        this TBuilder endpoint, string name, string description, bool isRequired = false)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoint.Add(builder => builder.Metadata.Add(new DocumentedHeader(name, description, isRequired)));
        return endpoint;
    }

    public static TBuilder WritesHeader<TBuilder>(
        this TBuilder endpoint, string name, string description, params int[] statuses)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoint.Add(builder => builder.Metadata.Add(new DocumentedAnswerHeader(name, description, statuses)));
        return endpoint;
    }
}
