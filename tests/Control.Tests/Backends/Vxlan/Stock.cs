namespace FlannelFast.Control.Tests.Backends.Vxlan;

/// <summary>
/// Does by ip(8) and bridge(8), call for call, what stock flanneld does by netlink (v0.28, pkg/backend/vxlan/device.go and vxlan_network.go).
/// </summary>
internal static class Stock
{
    /// <summary>Sets up the device and these hosts as its peers.</summary>
    internal static void Program(Node node, int vni, int port, int mtu, string mac, string options, int[] peers)
    {
        string device = $"flannel.{vni}";
        node.Shell($"""
            ip link add {device} address {mac} mtu {mtu} txqueuelen 0 type vxlan id {vni} dev eth0 local {node.Address} dstport {port} {options}
            echo 0 > /proc/sys/net/ipv6/conf/{device}/accept_ra
            ip address add 10.5.{node.Number}.0/32 dev {device}
            ip link set {device} up
            """);
        foreach (int peer in peers)
        {
            node.Shell($"""
                ip neigh replace 10.5.{peer}.0 lladdr {Cluster.Mac(peer)} dev {device} nud permanent
                bridge fdb replace {Cluster.Mac(peer)} dev {device} dst 192.0.2.{peer} self permanent
                ip route replace 10.5.{peer}.0/24 via 10.5.{peer}.0 dev {device} onlink
                """);
        }
    }

    /// <summary>The same for IPv6.</summary>
    internal static void ProgramV6(Node node, int mtu, string mac, int[] peers)
    {
        node.Shell($"""
            ip link add flannel-v6.1 address {mac} mtu {mtu} txqueuelen 0 type vxlan id 1 dev eth0 local {node.AddressV6} dstport 8472 nolearning
            echo 0 > /proc/sys/net/ipv6/conf/flannel-v6.1/accept_ra
            ip address add fd05:0:0:{node.Number}::/128 dev flannel-v6.1 nodad
            ip link set flannel-v6.1 up
            """);
        foreach (int peer in peers)
        {
            node.Shell($"""
                ip neigh replace fd05:0:0:{peer}:: lladdr {Cluster.MacV6(peer)} dev flannel-v6.1 nud permanent
                bridge fdb replace {Cluster.MacV6(peer)} dev flannel-v6.1 dst 2001:db8::{peer} self permanent
                ip -6 route replace fd05:0:0:{peer}::/64 via fd05:0:0:{peer}:: dev flannel-v6.1 onlink
                """);
        }
    }
}
