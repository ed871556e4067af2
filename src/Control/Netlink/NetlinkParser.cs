using System.Diagnostics.CodeAnalysis;

namespace FlannelFast.Control.Netlink;

/// <summary>Makes an object of a message; false if the message is of another kind or makes no sense. Never throws, whatever the bytes.</summary>
internal delegate bool NetlinkParser<T>(NetlinkMessage message, [NotNullWhen(true)] out T? item)
    where T : class;
