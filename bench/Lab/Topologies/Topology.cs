using System.Globalization;
using System.Text.Json;
using FlannelFast.Lab.Hosting;
using FlannelFast.Lab.Traffic;

namespace FlannelFast.Lab.Topologies;

/// <summary>The nodes of a run, joined by an underlay. They vanish with the <see cref="LabState"/> that they were made in.</summary>
internal sealed class Topology : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(5);
    private readonly List<(NetworkNamespace Place, string[] Arguments)> _links = [];
    private readonly List<Child> _relays = [];

    private Topology(TopologySpec spec, Underlay underlay, IReadOnlyList<Node> nodes) => (Spec, Underlay, Nodes) = (spec, underlay, nodes);

    internal TopologySpec Spec { get; }

    internal Underlay Underlay { get; }

    /// <summary>Node 1 receives, all others send.</summary>
    internal IReadOnlyList<Node> Nodes { get; }

    /// <summary>Whether frames go through relays of the lab.</summary>
    internal bool HasRelays => _relays.Count > 0;

    /// <summary>The nodes of a topology of pods alone. Owns nothing.</summary>
    internal Topology WithoutPods() => new(new(TopologyKind.Pair, Nodes.Count), Underlay, [.. Nodes.Select(n => n with { Pod = null })]);

    /// <summary>Makes nodes and underlay.</summary>
    /// <exception cref="LabException">The kernel or a tool refused.</exception>
    internal static Topology Create(LabState state, TopologySpec spec, Underlay underlay)
    {
        var nodes = new List<Node>();
        for (int number = 1; number <= spec.Nodes; number++)
        {
            string suffix = number.ToString(CultureInfo.InvariantCulture);
            NetworkNamespace? pod = spec.Kind == TopologyKind.Pods ? state.CreateNamespace("pod" + suffix) : null;
            nodes.Add(new(number, state.CreateNamespace("node" + suffix), pod));
        }
        var topology = new Topology(spec, underlay, nodes);
        try
        {
            if (spec.Kind == TopologyKind.Star) topology.JoinBySwitch(state.CreateNamespace("switch"));
            else if (underlay.HasRelay) topology.JoinByRelay(state.CreateNamespace("wire"));
            else topology.JoinByPair();
            topology.SetUpNodes();
            topology.StartRelays();
            return topology;
        }
        catch
        {
            topology.Dispose();
            throw;
        }
    }

    /// <summary>Starts the relays, where the underlay has some; each begins to count anew.</summary>
    /// <exception cref="LabException">One does not start.</exception>
    internal void StartRelays()
    {
        foreach ((NetworkNamespace place, string[] arguments) in _links)
        {
            Child relay = place.Start(Self.Path, arguments);
            _relays.Add(relay);
            string line = relay.FirstLineAsync(s_limit, CancellationToken.None).GetAwaiter().GetResult();
            if (line != "listening") throw new LabException($"the relay of the underlay wrote \"{line}\" instead of \"listening\"");
        }
    }

    /// <summary>Ends the relays.</summary>
    /// <returns>What they did since they were started, all together.</returns>
    internal async Task<RelayResult> StopRelaysAsync(CancellationToken cancel)
    {
        RelayResult total = new() { Role = "relay" };
        foreach (Child relay in _relays)
        {
            Signals.Terminate(relay.Pid);
            string output = await relay.ResultAsync(s_limit, cancel).ConfigureAwait(false);
            RelayResult one = JsonSerializer.Deserialize(output[output.IndexOf('{')..], AgentJsonContext.Default.RelayResult)!;
            total = total with
            {
                Forwarded = total.Forwarded + one.Forwarded,
                Lost = total.Lost + one.Lost,
                Reordered = total.Reordered + one.Reordered,
                Duplicated = total.Duplicated + one.Duplicated,
                Overflowed = total.Overflowed + one.Overflowed,
            };
        }
        Dispose();
        return total;
    }

    /// <summary>Complains if a relay has ended: then nothing crosses the underlay any more.</summary>
    /// <exception cref="LabException">One has.</exception>
    internal void CheckRelays()
    {
        if (_relays.FirstOrDefault(r => r.HasEnded) is { } ended) throw new LabException($"the relay of the underlay has ended with {ended.End}");
    }

    /// <summary>Ends the relays.</summary>
    public void Dispose()
    {
        foreach (Child relay in _relays) relay.Dispose();
        _relays.Clear();
    }

    private void SetUpNodes()
    {
        foreach (Node node in Nodes)
        {
            node.Namespace.Batch(
                $"address add {node.Address}/24 dev {Node.Device}",
                $"link set {Node.Device} mtu {Underlay.Mtu.ToString(CultureInfo.InvariantCulture)}",
                $"link set {Node.Device} up");
            if (Underlay.IsWireLike) MakeWireLike(node.Namespace, Node.Device);
            if (Underlay.LossPercent > 0 && !Underlay.HasRelay) AddLoss(node.Namespace, Underlay.LossPercent);
            node.Namespace.Sysctl("net/ipv4/ip_forward", "1");
            if (node.Pod is { } pod) AddPod(node, pod, Underlay);
        }
    }

    private void JoinByPair() => Nodes[0].Namespace.Batch(
        $"link add {Node.Device} mtu {Mtu(Underlay)} type veth peer name {Node.Device} mtu {Mtu(Underlay)} netns {Nodes[1].Namespace.Name}");

    private void JoinByRelay(NetworkNamespace wire)
    {
        foreach (Node node in Nodes)
        {
            wire.Batch(
                $"link add end{Number(node)} mtu {Mtu(Underlay)} type veth peer name {Node.Device} mtu {Mtu(Underlay)} netns {node.Namespace.Name}",
                $"link set end{Number(node)} up");
        }
        AddRelay(wire, "end1", "end2", oneWay: false);
    }

    private void JoinBySwitch(NetworkNamespace middle)
    {
        middle.Batch("link add switch type bridge", $"link set switch mtu {Mtu(Underlay)} up");
        foreach (Node node in Nodes)
        {
            string port = $"port{Number(node)}", end = Underlay.HasRelay ? $"end{Number(node)}" : port;
            middle.Batch(
                $"link add {end} mtu {Mtu(Underlay)} type veth peer name {Node.Device} mtu {Mtu(Underlay)} netns {node.Namespace.Name}", $"link set {end} up");
            if (Underlay.HasRelay)
            {
                middle.Batch($"link add {port} mtu {Mtu(Underlay)} type veth peer name far{Number(node)} mtu {Mtu(Underlay)}", $"link set {port} up", $"link set far{Number(node)} up");
                // Between two nodes there are two relays, and a frame must be delayed once.
                AddRelay(middle, $"far{Number(node)}", end, oneWay: true);
            }
            middle.Batch($"link set {port} master switch");
            if (Underlay.IsWireLike) MakeWireLike(middle, port);
        }
    }

    private void AddRelay(NetworkNamespace place, string first, string second, bool oneWay)
    {
        // What the relay gets must be single frames.
        foreach (string device in new[] { first, second })
        {
            MakeWireLike(place, device);
            place.Run("ethtool", "-K", device, "gro", "off");
        }
        _links.Add((
            place,
            [
                "lab-agent", "relay", "--first", first, "--second", second, "--delay-us", Math.Round(Underlay.DelayMilliseconds * 1000).ToString(CultureInfo.InvariantCulture),
                "--loss-ppm", Ppm(Underlay.LossPercent), "--reorder-ppm", Ppm(Underlay.ReorderPercent), "--duplicate-ppm", Ppm(Underlay.DuplicatePercent),
                .. oneWay ? (string[])["--one-way"] : [],
            ]));
    }

    private static void AddPod(Node node, NetworkNamespace pod, Underlay underlay)
    {
        node.Namespace.Batch(
            $"link add {Node.Bridge} type bridge",
            $"link add veth0 mtu {Mtu(underlay)} type veth peer name {Node.Device} mtu {Mtu(underlay)} netns {pod.Name}",
            $"link set veth0 master {Node.Bridge}",
            $"link set {Node.Bridge} mtu {Mtu(underlay)} up", "link set veth0 up");
        pod.Batch($"link set {Node.Device} up");
    }

    /// <summary>
    /// No segmentation is left to the receiver, as with a card that has none: over plain veth a super-packet crosses "the wire"
    /// whole. Checksums stay offloaded and gro on, as with nearly every card and driver.
    /// </summary>
    private static void MakeWireLike(NetworkNamespace place, string device) => place.Run(
        "ethtool", "-K", device, "tso", "off", "gso", "off", "tx-udp_tnl-segmentation", "off",
        "tx-udp_tnl-csum-segmentation", "off", "tx-udp-segmentation", "off", "gro", "on");

    /// <summary>Random loss by nftables, because netem is not in every kernel. Drops what has been reassembled by GRO as one.</summary>
    private static void AddLoss(NetworkNamespace place, double percent)
    {
        int perMille = (int)Math.Round(percent * 1000);
        Tool.RunWithInput(string.Create(CultureInfo.InvariantCulture, $$"""
            table inet lab {
              chain loss {
                type filter hook prerouting priority raw; policy accept;
                iifname "{{Node.Device}}" numgen random mod 100000 < {{perMille}} counter drop
              }
            }

            """), "ip", "netns", "exec", place.Name, "nft", "-f", "-");
    }

    // A percentage in parts per million.
    private static string Ppm(double percent) => ((int)Math.Round(percent * 10_000)).ToString(CultureInfo.InvariantCulture);

    private static string Number(Node node) => node.Number.ToString(CultureInfo.InvariantCulture);

    private static string Mtu(Underlay underlay) => underlay.Mtu.ToString(CultureInfo.InvariantCulture);
}
