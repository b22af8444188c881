using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Actors.Api.Requests;

/// <summary>
/// The check of queries, said once for each address: what it takes is endpoint metadata, a query that is otherwise is
/// answered 400 before the handler is asked, and the handler finds the values with <see cref="QueryOf"/>.
/// </summary>
public static class QueryChecking
{
    private static readonly object Key = new();

    /// <summary>Declares the parameters that an address takes; one that declares none takes none.</summary>
    public static TBuilder Takes<TBuilder>(this TBuilder endpoint, params QueryParameter[] parameters)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoint.Add(builder => builder.Metadata.Add(new QueryParameters(parameters)));
        return endpoint;
    }

    /// <summary>Checks the queries of every address of a group.</summary>
    public static TBuilder ChecksQueries<TBuilder>(this TBuilder group)
        where TBuilder : IEndpointConventionBuilder => group.AddEndpointFilter(async (invocation, next) =>
        {
            var context = invocation.HttpContext;
            var declared = context.GetEndpoint()?.Metadata.GetMetadata<QueryParameters>()?.Parameters ?? [];
            var values = QueryValues.Read(context.Request.Query, declared);
            if (values.Refusal() is { } refusal) return refusal;
            context.Items[Key] = values;
            return await next(invocation);
        });

    /// <summary>The checked values of a request's query.</summary>
    public static QueryValues QueryOf(this HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return (QueryValues)context.Items[Key]!;
    }
}

/// <summary>The parameters that an endpoint takes, as its metadata.</summary>
public sealed record QueryParameters(IReadOnlyList<QueryParameter> Parameters);
