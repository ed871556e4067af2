namespace FlannelFast.EndToEnd.Support;

/// <summary>A pod as a CNI plugin leaves it on a node: a namespace behind a veth pair and a bridge, so that its packets are forwarded. Host 5 of the node's subnets, the bridge is host 1.</summary>
internal static class Pod
{
    private const string Bridge = "cni0";

    /// <summary>Makes the bridge and the pod; the namespace belongs to the caller.</summary>
    /// <param name="nodes">The topology.</param>
    /// <param name="number">Node 1 or 2.</param>
    /// <param name="mtu">Of bridge, veth pair and pod.</param>
    public static Netns Create(TwoNodes nodes, int number, int mtu)
    {
        Netns node = nodes.Node(number), pod = Netns.Create();
        node.WriteSysctl("ipv4/ip_forward", "1");
        node.WriteSysctl("ipv6/conf/all/forwarding", "1");
        node.Ip("link", "add", Bridge, "type", "bridge");
        node.Ip("link", "add", "pod", "type", "veth", "peer", "name", "eth0", "netns", pod.Name);
        node.Ip("link", "set", "pod", "master", Bridge);
        SetMtu(nodes, number, pod, mtu);
        node.Ip("link", "set", "pod", "up");
        foreach ((Netns place, string device, string host) in ((Netns, string, string)[])[(node, Bridge, "1"), (pod, "eth0", "5")])
        {
            place.Ip("link", "set", device, "up");
            place.Ip("address", "add", $"10.5.{number}.{host}/24", "dev", device);
            place.Ip("address", "add", $"fd00:5:0:{number}::{host}/64", "dev", device, "nodad");
        }
        pod.Ip("route", "add", "default", "via", $"10.5.{number}.1");
        pod.Ip("route", "add", "default", "via", $"fd00:5:0:{number}::1");
        return pod;
    }

    /// <summary>Gives bridge, veth pair and pod another MTU.</summary>
    public static void SetMtu(TwoNodes nodes, int number, Netns pod, int mtu)
    {
        foreach (string device in (string[])["pod", Bridge]) nodes.Node(number).Ip("link", "set", device, "mtu", $"{mtu}");
        pod.Ip("link", "set", "eth0", "mtu", $"{mtu}");
    }
}
