using System.Net.Sockets;
using FlannelFast.Control.Interfaces;
using FlannelFast.Control.Tunnels;

namespace FlannelFast.Daemon.Flanneld.Flags;

/// <summary>What values of single flags must be; each answers what was expected, or null for a value that will do.</summary>
internal static class FlagChecks
{
    internal static string? Address(string text) => AddressText.TryParse(text, out _) ? null : "an IP address";

    internal static string? AddressV4(string text) =>
        AddressText.TryParse(text, out var address) && address.AddressFamily == AddressFamily.InterNetwork ? null : "an IPv4 address";

    internal static string? AddressV6(string text) =>
        AddressText.TryParse(text, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6 ? null : "an IPv6 address";

    internal static string? Pattern(string text)
    {
        try
        {
            GoRegex.Compile(text);
            return null;
        }
        catch (ArgumentException e)
        {
            return $"a regular expression ({e.Message})";
        }
    }

    internal static string? AnnotationPrefix(string text) => text.Count(c => c == '/') <= 1 ? null : "a prefix with one slash at most";
}
