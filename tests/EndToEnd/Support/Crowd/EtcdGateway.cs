using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace FlannelFast.EndToEnd.Support.Crowd;

/// <summary>
/// etcd's v3 API as JSON over HTTP (its grpc-gateway), for tests that write hundreds of keys a second: etcdctl takes a process for each. The sockets
/// are made in a namespace. Safe for concurrent use.
/// </summary>
internal sealed class EtcdGateway : IDisposable
{
    private readonly HttpClient _http;

    /// <param name="netns">From where etcd can be reached.</param>
    /// <param name="endpoint">"http://192.0.2.254:2379".</param>
    public EtcdGateway(Netns netns, string endpoint)
    {
        var uri = new Uri(endpoint);
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectCallback = async (_, cancel) =>
            {
                Socket socket = netns.Within(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true });
                await socket.ConnectAsync(IPAddress.Parse(uri.Host), uri.Port, cancel);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        _http = new(handler) { BaseAddress = uri, Timeout = TimeSpan.FromSeconds(20) };
    }

    /// <summary>Makes an etcd lease and returns its id.</summary>
    public async Task<string> GrantAsync(TimeSpan timeToLive) =>
        (await PostAsync("/v3/lease/grant", new JsonObject { ["TTL"] = (long)timeToLive.TotalSeconds }))["ID"]!.GetValue<string>();

    /// <summary>Writes a key.</summary>
    /// <param name="key">Whole.</param>
    /// <param name="value">Any bytes.</param>
    /// <param name="lease">0 for none.</param>
    public Task PutAsync(string key, ReadOnlyMemory<byte> value, string lease = "0") =>
        PostAsync("/v3/kv/put", new JsonObject { ["key"] = Text(key), ["value"] = Convert.ToBase64String(value.Span), ["lease"] = lease });

    /// <inheritdoc cref="PutAsync(string, ReadOnlyMemory{byte}, string)"/>
    public Task PutAsync(string key, string value, string lease = "0") => PutAsync(key, Encoding.UTF8.GetBytes(value), lease);

    /// <summary>Deletes a key, whether it is there or not.</summary>
    public Task DeleteAsync(string key) => PostAsync("/v3/kv/deleterange", new JsonObject { ["key"] = Text(key) });

    /// <inheritdoc />
    public void Dispose() => _http.Dispose();

    private static string Text(string key) => Convert.ToBase64String(Encoding.UTF8.GetBytes(key));

    private async Task<JsonObject> PostAsync(string path, JsonObject request)
    {
        using HttpResponseMessage response = await _http.PostAsync(path, new StringContent(request.ToJsonString(), Encoding.UTF8, "application/json"));
        string text = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode ? JsonNode.Parse(text)!.AsObject() : throw new InvalidOperationException($"etcd: {path}: {(int)response.StatusCode} {text}");
    }
}
