namespace FlannelFast.Control.Health;

/// <summary>The head of an HTTP/1.x request, as far as it matters here (RFC 9112 section 3).</summary>
/// <param name="Method">"GET".</param>
/// <param name="Path">Without query.</param>
internal readonly record struct HealthRequest(string Method, string Path)
{
    /// <summary>Longest head in bytes; a kubelet's has about 120.</summary>
    internal const int MaxSize = 8192;

    /// <summary>True once the empty line behind the header fields has come.</summary>
    internal static bool IsComplete(ReadOnlySpan<byte> head) => head.IndexOf("\r\n\r\n"u8) >= 0 || head.IndexOf("\n\n"u8) >= 0;

    /// <summary>Reads the request line; null if it is none.</summary>
    internal static HealthRequest? Parse(ReadOnlySpan<byte> head)
    {
        int end = head.IndexOf((byte)'\n');
        if (end < 0) return null;
        string line = System.Text.Encoding.Latin1.GetString(head[..end]).TrimEnd('\r');
        return line.Split(' ') is [{ Length: > 0 } method, ['/', ..] target, "HTTP/1.1" or "HTTP/1.0"]
            ? new(method, target.Split('?')[0])
            : null;
    }
}
