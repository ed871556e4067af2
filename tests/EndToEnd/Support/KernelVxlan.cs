namespace FlannelFast.EndToEnd.Support;

/// <summary>The kernel's VXLAN device, set up as flannel's vxlan backend does: no learning, everything about the peer put there by hand.</summary>
internal static class KernelVxlan
{
    /// <summary>Name of the device.</summary>
    public const string Device = "flannel.1";

    /// <summary>Makes it on a node, the other node being its only peer.</summary>
    /// <param name="nodes">The topology.</param>
    /// <param name="number">Node 1 or 2.</param>
    /// <param name="checksums">"udpcsum", which is also the default, or "noudpcsum".</param>
    public static void Create(TwoNodes nodes, int number, string checksums = "udpcsum")
    {
        int peer = 3 - number;
        (Netns node, string peerAddress, string peerMac) = (nodes.Node(number), TwoNodes.OverlayAddress(peer), TwoNodes.VtepMac(peer));
        node.Ip("link", "add", Device, "address", TwoNodes.VtepMac(number), "mtu", "1450", "txqueuelen", "0", "type", "vxlan", "id", "1",
            "local", TwoNodes.UnderlayAddress(number), "dev", "eth0", "dstport", "8472", "nolearning", checksums);
        node.Ip("address", "add", $"{TwoNodes.OverlayAddress(number)}/32", "dev", Device);
        node.Ip("link", "set", Device, "up");
        node.Ip("neighbour", "replace", peerAddress, "lladdr", peerMac, "dev", Device, "nud", "permanent");
        Shell.Run("bridge", "-n", node.Name, "fdb", "replace", peerMac, "dev", Device, "dst", TwoNodes.UnderlayAddress(peer), "self", "permanent");
        node.Ip("route", "replace", $"10.5.{peer}.0/24", "via", peerAddress, "dev", Device, "onlink");
    }

    /// <summary>IPv6 inside, too, as <see cref="TwoNodes.Ipv6Flags"/> gives it to the peer.</summary>
    public static void AddIpv6(TwoNodes nodes, int number)
    {
        int peer = 3 - number;
        (Netns node, string peerAddress) = (nodes.Node(number), $"fd00:5:0:{peer}::");
        node.Ip("address", "add", $"fd00:5:0:{number}::/128", "dev", Device, "nodad");
        node.Ip("neighbour", "replace", peerAddress, "lladdr", TwoNodes.VtepMac(peer), "dev", Device, "nud", "permanent");
        node.Ip("route", "replace", $"{peerAddress}/64", "via", peerAddress, "dev", Device, "onlink");
    }
}
