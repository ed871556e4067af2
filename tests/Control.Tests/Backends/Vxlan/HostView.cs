using System.Text.RegularExpressions;

namespace FlannelFast.Control.Tests.Backends.Vxlan;

/// <summary>
/// What iproute2 shows of a host's overlay: device, addresses, neighbours, forwarding entries and routes, in an order that does not depend on
/// hashes, without the index of the device and the moment of duplicate address detection of its link-local address.
/// </summary>
internal static partial class HostView
{
    internal static string Of(Node node, string device = "flannel.1")
    {
        // A device that is missing shows as iproute2's complaint.
        string text = node.Shell($"""
            (
            ip -d link show {device}; ip -4 -d address show dev {device} | grep inet; ip -6 -d address show dev {device} | grep inet
            echo neighbours; ip -d -4 neigh show dev {device} nud permanent | sort; ip -d -6 neigh show dev {device} nud permanent | sort
            echo fdb; bridge -d fdb show dev {device} | sort
            echo routes; ip -d -4 route show table main | sort; ip -d -6 route show table main | sort
            cat /proc/sys/net/ipv6/conf/{device}/accept_ra
            ) 2>&1 || true
            """);
        return Moving().Replace(text, "");
    }

    [GeneratedRegex(@"(?m)^\d+: | tentative")]
    private static partial Regex Moving();
}
