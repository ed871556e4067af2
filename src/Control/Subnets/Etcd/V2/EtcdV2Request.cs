using System.Text;

namespace FlannelFast.Control.Subnets.Etcd.V2;

/// <summary>One request of the keys API, for whichever endpoint.</summary>
/// <param name="Method">GET reads, PUT writes, DELETE deletes.</param>
/// <param name="Key">Absolute, with slashes between its elements.</param>
/// <param name="Query">"quorum=true".</param>
/// <param name="Form">Fields of a PUT as they go over the wire, else null.</param>
internal sealed record EtcdV2Request(HttpMethod Method, string Key, string Query, byte[]? Form = null)
{
    /// <summary>Whether asking again does no harm, also when the first time got through.</summary>
    internal bool IsRepeatable => Method == HttpMethod.Get;

    /// <summary>A read that a majority has agreed to.</summary>
    internal static EtcdV2Request Read(string key) => new(HttpMethod.Get, key, "quorum=true");

    /// <summary>Waits for the first change at or after an index, of the key or anything below it.</summary>
    internal static EtcdV2Request Wait(string key, long index) => new(HttpMethod.Get, key, $"wait=true&recursive=true&waitIndex={index}");

    /// <summary>Deletes a key that has not changed since.</summary>
    internal static EtcdV2Request Delete(string key, long index) => new(HttpMethod.Delete, key, $"prevIndex={index}");

    /// <summary>Writes a key.</summary>
    /// <param name="key">Which.</param>
    /// <param name="condition">"prevExist=false", "prevIndex=7", or empty.</param>
    /// <param name="value">Its value; every byte goes over as it is.</param>
    /// <param name="timeToLive">Rounded up to seconds; null for ever.</param>
    internal static EtcdV2Request Write(string key, string condition, ReadOnlyMemory<byte> value, TimeSpan? timeToLive)
    {
        string ttl = timeToLive is { } time ? $"&ttl={Math.Max(1, (long)Math.Ceiling(time.TotalSeconds))}" : "";
        byte[] escaped = System.Net.WebUtility.UrlEncodeToBytes(value.ToArray(), 0, value.Length)!;
        return new(HttpMethod.Put, key, condition, [.. "value="u8, .. escaped, .. Encoding.ASCII.GetBytes(ttl)]);
    }

    /// <summary>The request to an endpoint, below the path that it may have.</summary>
    internal HttpRequestMessage ToMessage(Uri endpoint)
    {
        string[] elements = Key.Split('/', StringSplitOptions.RemoveEmptyEntries);
        string path = $"{endpoint.AbsolutePath.TrimEnd('/')}/v2/keys/{string.Join('/', elements.Select(Uri.EscapeDataString))}";
        HttpRequestMessage message = new(Method, new Uri(endpoint, Query.Length > 0 ? $"{path}?{Query}" : path)) { Version = new(1, 1) };
        if (Form is not null)
        {
            message.Content = new ByteArrayContent(Form);
            message.Content.Headers.ContentType = new("application/x-www-form-urlencoded");
        }
        return message;
    }
}
