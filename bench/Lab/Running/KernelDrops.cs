using System.Globalization;
using FlannelFast.Lab.Contenders;
using FlannelFast.Lab.Topologies;

namespace FlannelFast.Lab.Running;

/// <summary>
/// What the kernel itself dropped on the nodes: at the ends of the underlay, at the contender's device, and at full socket buffers, be they
/// a daemon's or a sink's. The same counters for every contender, whether or not it keeps its own.
/// </summary>
internal static class KernelDrops
{
    /// <summary>Reads the counters of all nodes and pods, added up by reason.</summary>
    internal static Dictionary<string, long> Read(Topology topology, Contender contender)
    {
        var sums = new Dictionary<string, long>();
        foreach (NetworkNamespace place in topology.Nodes.SelectMany(n => new[] { n.Namespace, n.Pod }).OfType<NetworkNamespace>())
            Add(sums, place.Run("cat", "/proc/net/snmp", "/proc/net/dev"), contender.Plan.Device);
        return sums;
    }

    /// <summary>Adds one namespace's counters.</summary>
    /// <param name="sums">Where to.</param>
    /// <param name="text">/proc/net/snmp and /proc/net/dev.</param>
    /// <param name="overlay">Name of the contender's device.</param>
    internal static void Add(Dictionary<string, long> sums, string text, string overlay)
    {
        string[]? names = null;
        foreach (string line in text.Split('\n'))
        {
            string[] fields = line.Split((char[])[' ', ':'], StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length == 0) continue;
            // Two lines "Udp: …", the names and the values.
            if (fields[0] == "Udp" && names is null)
            {
                names = fields;
            }
            else if (fields[0] == "Udp")
            {
                Count("kernel.udp_receive_buffer", fields[Array.IndexOf(names!, "RcvbufErrors")]);
                Count("kernel.udp_send_buffer", fields[Array.IndexOf(names!, "SndbufErrors")]);
                Count("kernel.udp_checksum", fields[Array.IndexOf(names!, "InCsumErrors")]);
            }
            // "eth0: bytes packets errs drop fifo frame compressed multicast bytes packets errs drop …", received first.
            else if (fields[0] == Node.Device || fields[0] == overlay)
            {
                string end = fields[0] == overlay ? "overlay" : "underlay";
                Count($"kernel.{end}_rx", fields[4]);
                Count($"kernel.{end}_tx", fields[12]);
            }
        }

        void Count(string reason, string number) =>
            sums[reason] = sums.GetValueOrDefault(reason) + long.Parse(number, NumberStyles.None, CultureInfo.InvariantCulture);
    }
}
