using System.Globalization;
using System.Net;
using System.Text.Json;
using FlannelFast.Lab.Hosting;
using FlannelFast.Lab.Topologies;

namespace FlannelFast.Lab.Contenders;

/// <summary>FlannelFast itself: the published program, driven as a user would.</summary>
/// <param name="spec">With engine switches, and perhaps another build of the program.</param>
/// <param name="plan">Its addresses.</param>
/// <param name="directory">Where configurations and control sockets go.</param>
internal sealed class EngineContender(ContenderSpec spec, AddressPlan plan, string directory) : Contender(spec, plan)
{
    private static readonly TimeSpan s_startLimit = TimeSpan.FromSeconds(20), s_stopLimit = TimeSpan.FromSeconds(5);

    private readonly List<(Child Process, string Socket)> _daemons = [];
    private readonly List<LanePlace> _lanes = [];
    private IReadOnlyList<Node> _nodes = [];
    private int _mtu;

    internal override IReadOnlyList<int> Daemons => [.. _daemons.Select(d => d.Process.Pid)];

    private string Binary => Spec.Binary ?? Self.Path;

    private bool HasNoLane => Spec.Settings.GetValueOrDefault("express_lane") == "\"off\"";

    /// <summary>Lets the program validate its own configuration, which touches nothing.</summary>
    /// <exception cref="LabException">A switch is wrong; the message is the program's.</exception>
    internal void Check()
    {
        if (Spec.Binary is { } other && !File.Exists(other)) throw LabException.Input($"contender {Name}: there is no file {other}");
        string file = Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"fflab-{Environment.ProcessId}.json"));
        Node[] nodes = [.. Enumerable.Range(1, 2).Select(n => new Node(n, null!, null))];
        try
        {
            File.WriteAllBytes(file, TunnelFile.Create(Spec with { Peers = null }, Plan, nodes[0], nodes));
            (int exitCode, _, string error) = Tool.Try("", Binary, "tunnel", "--config", file, "--check");
            if (exitCode != 0)
                throw LabException.Input($"contender {Name}: {error.Trim().Replace("flannelfast: ", "", StringComparison.Ordinal).Replace(file, "its configuration", StringComparison.Ordinal)}");
        }
        finally
        {
            File.Delete(file);
        }
    }

    internal override async Task StartAsync(Topology topology, CancellationToken cancel)
    {
        _nodes = topology.Nodes;
        foreach (Node node in topology.Nodes)
        {
            string stem = Stem(node);
            await File.WriteAllBytesAsync(stem + ".json", TunnelFile.Create(Spec, Plan, node, topology.Nodes), cancel).ConfigureAwait(false);
            // What it says to the end goes into the message of a failed measurement; the lane's opening and closing is no part of that.
            _daemons.Add((node.Namespace.Start(Binary, "tunnel", "--config", stem + ".json", "--socket", stem + ".sock", "--log-level", "warning"), stem + ".sock"));
        }
        foreach ((Node node, (Child process, string socket)) in topology.Nodes.Zip(_daemons))
        {
            long deadline = Environment.TickCount64 + (long)s_startLimit.TotalMilliseconds;
            JsonElement? status;
            while ((status = Status(socket)) is null)
            {
                if (process.HasEnded) throw new LabException($"contender {Name} ended at once:\n{process.Log}");
                if (Environment.TickCount64 > deadline) throw new LabException($"contender {Name} does not become ready:\n{process.Log}");
                await Task.Delay(10, cancel).ConfigureAwait(false);
            }
            _mtu = status.Value.GetProperty("device").GetProperty("mtu").GetInt32();
            if (!HasNoLane && LaneReading.From(status.Value) is not null)
                _lanes.Add(new(node.Namespace, Plan.Device, () => Status(socket) is { } now ? LaneReading.From(now) : null, OthersOf(node), () => process.HasEnded));
        }
        AddPods(topology);
        foreach (LanePlace lane in _lanes) await lane.SettleAsync(cancel).ConfigureAwait(false);
    }

    internal override async Task TakePlaceAsync(Action<string> notice, CancellationToken cancel)
    {
        foreach (LanePlace lane in _lanes) lane.Open();
        foreach (LanePlace lane in _lanes)
        {
            if (await lane.OpenedAsync(cancel).ConfigureAwait(false) is { } reason) notice($"contender {Name} is without its express lane: {reason}");
        }
    }

    internal override async Task StandAsideAsync(Action<string> notice, CancellationToken cancel)
    {
        foreach (LanePlace lane in _lanes) lane.Close();
        foreach (LanePlace lane in _lanes)
        {
            if (!await lane.ClosedAsync(cancel).ConfigureAwait(false)) notice($"contender {Name} does not close its express lane: it is in the way of the others");
        }
    }

    internal override IReadOnlyDictionary<string, long> Drops()
    {
        var sums = new Dictionary<string, long>();
        foreach ((Child process, string socket) in _daemons)
        {
            JsonElement status = Status(socket) ?? throw new LabException($"contender {Name} no longer answers:\n{process.Log}");
            foreach (string direction in (string[])["egress", "ingress"])
            {
                foreach (JsonProperty reason in status.GetProperty(direction).GetProperty("drops").EnumerateObject())
                {
                    string key = $"{direction}.{reason.Name}";
                    sums[key] = sums.GetValueOrDefault(key) + reason.Value.GetInt64();
                }
            }
        }
        return sums;
    }

    internal override string? Ended => _daemons.Select(d => d.Process).FirstOrDefault(p => p.HasEnded)?.End;

    internal override async Task SetPeersAsync(int count, CancellationToken cancel)
    {
        foreach ((Node node, (Child process, _)) in _nodes.Zip(_daemons))
        {
            await File.WriteAllBytesAsync(Stem(node) + ".json", TunnelFile.Create(Spec with { Peers = count }, Plan, node, _nodes), cancel).ConfigureAwait(false);
            Signals.Reload(process.Pid);
        }
        int expected = Math.Max(count, _nodes.Count - 1);
        foreach ((Child process, string socket) in _daemons)
        {
            long deadline = Environment.TickCount64 + (long)s_startLimit.TotalMilliseconds;
            while (Status(socket)?.GetProperty("peers").GetArrayLength() != expected)
            {
                if (process.HasEnded) throw new LabException($"contender {Name} ended when it was given {count} peers:\n{process.Log}");
                if (Environment.TickCount64 > deadline) throw new LabException($"contender {Name} does not take {count} peers:\n{process.Log}");
                await Task.Delay(50, cancel).ConfigureAwait(false);
            }
        }
    }

    protected override void Stop()
    {
        foreach ((Child process, _) in _daemons) process.Stop(s_stopLimit);
        _daemons.Clear();
        _lanes.Clear();
    }

    protected override int PodMtu(Node node) => _mtu;

    private IPAddress[] OthersOf(Node node) => [.. _nodes.Where(other => other != node).Select(other => Plan.DeviceAddress(other.Number))];

    private string Stem(Node node) => string.Create(CultureInfo.InvariantCulture, $"{directory}/{Plan.Device}-{node.Number}");

    private JsonElement? Status(string socket)
    {
        if (!File.Exists(socket)) return null;
        (int exitCode, string output, _) = Tool.Try("", Binary, "status", "--json", "--socket", socket);
        if (exitCode != 0) return null;
        using JsonDocument document = JsonDocument.Parse(output);
        return document.RootElement.Clone();
    }
}
