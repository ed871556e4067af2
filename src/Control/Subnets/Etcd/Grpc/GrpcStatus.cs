using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace FlannelFast.Control.Subnets.Etcd.Grpc;

/// <summary>How a call ended: the fields grpc-status and grpc-message, in the trailers or, where there is nothing else, in the headers.</summary>
internal static class GrpcStatus
{
    /// <summary>Longest message kept, in characters.</summary>
    private const int MaxDetail = 300;

    /// <summary>Throws unless the fields hold status 0.</summary>
    /// <returns>False if there is no status in them.</returns>
    internal static bool Check(HttpHeaders fields, string endpoint)
    {
        if (First(fields, "grpc-status") is not { } text) return false;
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int code))
            throw new GrpcException(GrpcStatusCode.Unknown, endpoint, $"ended with the status {Printable(text)}: expected a number");
        if (code == 0) return true;
        // A code of the future is treated as Unknown, which is what the specification asks for.
        GrpcStatusCode known = code <= (int)GrpcStatusCode.Unauthenticated ? (GrpcStatusCode)code : GrpcStatusCode.Unknown;
        throw new GrpcException(known, endpoint, Printable(Decode(First(fields, "grpc-message") ?? "")));
    }

    /// <summary>Throws unless the answer can carry gRPC; the codes are those of http-grpc-status-mapping.md.</summary>
    internal static void CheckAnswer(HttpResponseMessage response, string endpoint)
    {
        string? type = response.Content.Headers.ContentType?.MediaType;
        if (response.StatusCode == HttpStatusCode.OK && type is not null && type.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase)) return;
        GrpcStatusCode code = response.StatusCode switch
        {
            HttpStatusCode.BadRequest => GrpcStatusCode.Internal,
            HttpStatusCode.Unauthorized => GrpcStatusCode.Unauthenticated,
            HttpStatusCode.Forbidden => GrpcStatusCode.PermissionDenied,
            HttpStatusCode.NotFound => GrpcStatusCode.Unimplemented,
            HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout => GrpcStatusCode.Unavailable,
            _ => GrpcStatusCode.Unknown,
        };
        string what = type is null ? "no content type" : Printable(type);
        throw new GrpcException(code, endpoint, $"answers with HTTP {(int)response.StatusCode}, {what}: expected gRPC") { IsForeign = true };
    }

    /// <summary>Foreign text as it may stand in a log line: one line, bounded.</summary>
    internal static string Printable(string text) => text.Length == 0 ? "no reason given" : Tunnels.InvalidInputException.Quote(text, MaxDetail)[1..^1];

    /// <summary>Undoes the percent-encoding of grpc-message; what is not encoded properly stays as it is.</summary>
    internal static string Decode(string text)
    {
        if (!text.Contains('%')) return text;
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        int length = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] == '%' && i + 2 < bytes.Length && char.IsAsciiHexDigit((char)bytes[i + 1]) && char.IsAsciiHexDigit((char)bytes[i + 2]))
            {
                bytes[length++] = (byte)((Convert.FromHexString([(char)bytes[i + 1], (char)bytes[i + 2]]))[0]);
                i += 2;
            }
            else
            {
                bytes[length++] = bytes[i];
            }
        }
        return Encoding.UTF8.GetString(bytes, 0, length);
    }

    private static string? First(HttpHeaders fields, string name)
    {
        if (!fields.TryGetValues(name, out IEnumerable<string>? values)) return null;
        foreach (string value in values) return value;
        return null;
    }
}
