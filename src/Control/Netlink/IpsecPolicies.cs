using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Netlink;

/// <summary>
/// Whether IPsec has a say in this host's packets (ip-xfrm(8)), and word of when that changes. Belongs to the network namespace of the thread
/// that made it.
/// </summary>
internal sealed class IpsecPolicies : IDisposable
{
    /// <summary>The kernel tells of every policy alike; a burst needs no more room than to be noticed.</summary>
    private const int ReceiveBuffer = 1 << 16;

    // Null where the kernel has no IPsec.
    private readonly NetlinkMonitor? _monitor;
    private readonly NetlinkSocket? _socket;

    /// <summary>Subscribes: make it first and ask after, and nothing falls between.</summary>
    /// <param name="onChange">As of <see cref="NetlinkMonitor"/>: told of <see cref="IpsecPolicyChanged"/>, <see cref="Overrun"/> and <see cref="MonitorFailed"/>.</param>
    /// <exception cref="NetlinkException">The kernel has IPsec and does not let us ask.</exception>
    internal IpsecPolicies(Action<NetworkChange> onChange)
    {
        try
        {
            _socket = new(NetlinkChannel.Open(protocol: Libc.NETLINK_XFRM), NetlinkSocket.DefaultTimeout);
            _monitor = new(NetlinkChannel.Open([Libc.XFRMNLGRP_POLICY], ReceiveBuffer, Libc.NETLINK_XFRM), onChange, TryParseChange);
        }
        catch (NetlinkException none) when (none.Errno == Errno.EPROTONOSUPPORT)
        {
            _socket?.Dispose();
            _socket = null;
        }
        catch
        {
            _socket?.Dispose();
            throw;
        }
    }

    /// <summary>Asks over an open socket, owned from here on, and is told of nothing.</summary>
    internal IpsecPolicies(NetlinkSocket socket) => _socket = socket;

    /// <summary>
    /// True if packets of this host may be encrypted or refused: there is a policy of any direction, or packets without one are blocked. Policies of single
    /// sockets, by which key daemons except their own packets, do not count.
    /// </summary>
    /// <exception cref="NetlinkException">The kernel refused to say.</exception>
    internal bool Exist() => _socket is not null && (CountPolicies(_socket) > 0 || BlocksByDefault(_socket));

    private static long CountPolicies(NetlinkSocket socket)
    {
        NetlinkMessageBuilder message = new(stackalloc byte[64], Libc.XFRM_MSG_GETSPDINFO);
        message.Append(0u);
        _ = socket.TryGet<PolicyCount>(message.Finish(), PolicyCount.TryParse, [], () => "count IPsec policies", out PolicyCount? count);
        return count!.Policies;
    }

    private static bool BlocksByDefault(NetlinkSocket socket)
    {
        NetlinkMessageBuilder message = new(stackalloc byte[64], Libc.XFRM_MSG_GETDEFAULT);
        message.Append(new xfrm_userpolicy_default());
        // New in Linux 5.15: before, the kernel does not know the question (net/xfrm/xfrm_user.c, xfrm_user_rcv_msg).
        return socket.TryGet<DefaultPolicy>(message.Finish(), DefaultPolicy.TryParse, [Errno.EINVAL], () => "read the IPsec default policy", out DefaultPolicy? found)
            && found.Blocks;
    }

    /// <summary>The group has nothing but changes of policies.</summary>
    private static bool TryParseChange(NetlinkMessage message, [NotNullWhen(true)] out NetworkChange? change)
    {
        change = new IpsecPolicyChanged();
        return true;
    }

    public void Dispose()
    {
        _monitor?.Dispose();
        _socket?.Dispose();
    }

    private sealed record PolicyCount(long Policies)
    {
        internal static bool TryParse(NetlinkMessage message, [NotNullWhen(true)] out PolicyCount? count)
        {
            count = null;
            if (message.Type != Libc.XFRM_MSG_NEWSPDINFO || !message.TryRead(out uint _, out NetlinkAttributeReader attributes)) return false;
            while (attributes.TryRead(out NetlinkAttribute attribute))
            {
                xfrmu_spdinfo found = default;
                if (attribute.Type != Libc.XFRMA_SPD_INFO || !attribute.TryRead(ref found)) continue;
                count = new((long)found.incnt + found.outcnt + found.fwdcnt);
            }
            return count is not null;
        }
    }

    private sealed record DefaultPolicy(bool Blocks)
    {
        internal static bool TryParse(NetlinkMessage message, [NotNullWhen(true)] out DefaultPolicy? policy)
        {
            policy = null;
            if (message.Type != Libc.XFRM_MSG_GETDEFAULT || !MemoryMarshal.TryRead(message.Payload, out xfrm_userpolicy_default found)) return false;
            policy = new(found.@in == Libc.XFRM_USERPOLICY_BLOCK || found.fwd == Libc.XFRM_USERPOLICY_BLOCK || found.@out == Libc.XFRM_USERPOLICY_BLOCK);
            return true;
        }
    }
}
