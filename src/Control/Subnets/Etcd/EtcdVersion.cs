using System.Globalization;
using System.Net.Security;
using System.Text.Json;

namespace FlannelFast.Control.Subnets.Etcd;

/// <summary>Asks etcd for its version, which every release since 2.1 tells by HTTP/1.1 at /version.</summary>
internal static class EtcdVersion
{
    private const int MaxSize = 4096;

    /// <summary>The major version of the first endpoint that tells; null if none does.</summary>
    internal static async Task<int?> ReadMajorAsync(EtcdOptions options, EtcdTls tls, CancellationToken cancel)
    {
        using HttpClient http = new(tls.CreateHandler(SslApplicationProtocol.Http11)) { Timeout = EtcdTls.ConnectTimeout, MaxResponseContentBufferSize = MaxSize };
        foreach (Uri endpoint in options.Endpoints)
        {
            try
            {
                byte[] answer = await http.GetByteArrayAsync(new Uri(endpoint, "/version"), cancel).ConfigureAwait(false);
                if (Parse(answer) is { } major) return major;
            }
            catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !cancel.IsCancellationRequested))
            {
                // The next one may tell.
            }
        }
        return null;
    }

    /// <summary>3 from {"etcdserver":"3.4.23","etcdcluster":"3.4.0"}; null from anything else.</summary>
    internal static int? Parse(ReadOnlySpan<byte> answer)
    {
        try
        {
            Utf8JsonReader reader = new(answer);
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("etcdserver", out JsonElement version) || version.ValueKind != JsonValueKind.String) return null;
            string text = version.GetString()!;
            int dot = text.IndexOf('.');
            return dot > 0 && int.TryParse(text.AsSpan(0, dot), NumberStyles.None, CultureInfo.InvariantCulture, out int major) ? major : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
