using FlannelFast.Control.Tunnels;

namespace FlannelFast.Control.Subnets.Etcd;

/// <summary>The value of <c>-etcd-endpoints</c>.</summary>
internal static class EtcdEndpoints
{
    /// <summary>Splits at commas and checks each. White space around an endpoint is dropped; stock keeps it and cannot connect.</summary>
    /// <param name="list">"https://10.0.0.1:2379,https://10.0.0.2:2379".</param>
    /// <param name="tlsFlag">A flag that asks for TLS, or null.</param>
    /// <exception cref="InvalidInputException">One of them is no endpoint, or would be spoken to in the clear although a flag asks for TLS.</exception>
    internal static IReadOnlyList<Uri> Parse(string list, string? tlsFlag)
    {
        List<Uri> endpoints = [];
        foreach (string item in list.Split(','))
        {
            Uri endpoint = ParseOne(item.Trim(), tlsFlag);
            if (!endpoints.Contains(endpoint)) endpoints.Add(endpoint);
        }
        return endpoints;
    }

    /// <summary>"https://10.0.0.1:2379": as a log line names an endpoint.</summary>
    internal static string Describe(Uri endpoint) => endpoint.GetComponents(UriComponents.SchemeAndServer | UriComponents.StrongPort, UriFormat.UriEscaped);

    private static Uri ParseOne(string text, string? tlsFlag)
    {
        // etcd's own client takes a bare HOST:PORT and uses TLS for it where it has something to use it with.
        string url = text.Contains("://", StringComparison.Ordinal) ? text : $"{(tlsFlag is null ? "http" : "https")}://{text}";
        if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? endpoint)
            || (endpoint.Scheme != Uri.UriSchemeHttp && endpoint.Scheme != Uri.UriSchemeHttps)
            || endpoint.Host.Length == 0 || endpoint.Port <= 0 || endpoint.Query.Length > 0 || endpoint.Fragment.Length > 0)
        {
            throw new InvalidInputException($"-etcd-endpoints: expected http://HOST:PORT or https://HOST:PORT, separated by commas, not {Quote(text)}");
        }
        if (endpoint.UserInfo.Length > 0)
            throw new InvalidInputException($"-etcd-endpoints: expected no user in {Quote(text)}; use -etcd-username and -etcd-password");
        if (tlsFlag is not null && endpoint.Scheme == Uri.UriSchemeHttp)
            throw new InvalidInputException($"-etcd-endpoints: expected https:// beside {tlsFlag}, not {Quote(text)}, which would be spoken to in the clear");
        return endpoint;
    }

    /// <summary>Quotes an endpoint without the user and password it may carry.</summary>
    private static string Quote(string text)
    {
        int at = text.LastIndexOf('@');
        if (at < 0) return InvalidInputException.Quote(text);
        int scheme = text.IndexOf("://", StringComparison.Ordinal);
        return InvalidInputException.Quote(string.Concat(scheme < 0 || scheme > at ? "" : text.AsSpan(0, scheme + 3), "…", text.AsSpan(at)));
    }
}
