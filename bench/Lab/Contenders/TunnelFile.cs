using System.Text.Json;
using FlannelFast.Lab.Topologies;

namespace FlannelFast.Lab.Contenders;

/// <summary>Writes the configuration of one <c>flannelfast tunnel</c>. A file, because 100,000 peers do not fit into a command line.</summary>
internal static class TunnelFile
{
    // The defaults of flannel's two backends.
    private const int UdpPort = 8285, VxlanPort = 8472;

    /// <summary>Makes the text of the file.</summary>
    /// <param name="spec">The contender.</param>
    /// <param name="plan">Its addresses.</param>
    /// <param name="node">The node it is for.</param>
    /// <param name="nodes">All nodes.</param>
    internal static byte[] Create(ContenderSpec spec, AddressPlan plan, Node node, IReadOnlyList<Node> nodes)
    {
        bool vxlan = spec.Kind == ContenderKind.Vxlan;
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new() { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("device", plan.Device);
            json.WriteString("local", node.Address.ToString());
            WriteList(json, "networks", plan.Network);
            WriteList(json, "subnets", plan.Subnet(node.Number));
            json.WriteString("encap", vxlan ? "vxlan" : "udp");
            json.WriteNumber("port", plan.Port(vxlan ? VxlanPort : UdpPort));
            if (vxlan) json.WriteString("mac", plan.Mac(node.Number));
            foreach ((string key, string value) in spec.Settings)
            {
                json.WritePropertyName(key);
                json.WriteRawValue(value);
            }
            json.WriteStartArray("peers");
            foreach (Node peer in nodes.Where(p => p != node))
                WritePeer(json, plan.Subnet(peer.Number), peer.Address.ToString(), vxlan ? plan.Mac(peer.Number) : null);
            for (int i = 0; i < (spec.Peers ?? 0) - (nodes.Count - 1); i++)
                WritePeer(json, plan.SilentSubnet(i), AddressPlan.SilentAddress(i), vxlan ? AddressPlan.SilentMac(i) : null);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return buffer.ToArray();
    }

    private static void WriteList(Utf8JsonWriter json, string name, string value)
    {
        json.WriteStartArray(name);
        json.WriteStringValue(value);
        json.WriteEndArray();
    }

    private static void WritePeer(Utf8JsonWriter json, string subnet, string address, string? mac)
    {
        json.WriteStartObject();
        json.WriteString("subnet", subnet);
        json.WriteString("public_ip", address);
        if (mac is not null) json.WriteString("vtep_mac", mac);
        json.WriteEndObject();
    }
}
