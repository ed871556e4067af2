using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Netlink;

/// <summary>
/// The kernel refused a netlink request, or could not be asked. The message says what was attempted and what the kernel
/// answered: "cannot add route 10.5.0.0/16 dev ff0: File exists (errno 17)", then its own sentence where it gave one.
/// </summary>
/// <param name="errno">The positive error number.</param>
/// <param name="attempted">What follows "cannot": "add route 10.5.0.0/16 dev ff0".</param>
/// <param name="detail">The kernel's sentence (extended acknowledgement), or what is known beside the number.</param>
internal sealed class NetlinkException(int errno, string attempted, string? detail = null)
    : IOException($"cannot {attempted}: {Dataplane.Interop.Errno.Describe(errno)}{(detail is null ? "" : $": {detail}")}")
{
    /// <summary>The positive error number.</summary>
    internal int Errno { get; } = errno;

    /// <summary>The kernel's sentence, or null if it gave none.</summary>
    internal string? Detail { get; } = detail;
}
