using FlannelFast.Control.ControlSocket;
using FlannelFast.Control.Tunnels;
using FlannelFast.Dataplane.Engine;

namespace FlannelFast.Daemon.Rendering;

/// <summary><c>flannelfast status</c> for people: one screen, most important first.</summary>
internal static class StatusRenderer
{
    /// <summary>Peers described at most.</summary>
    internal const int PeersShown = 20;

    internal static void Write(TextWriter output, StatusReport report, TerminalStyle style)
    {
        output.WriteLine(style.Heading($"flannelfast {report.Version}") +
            $", up {Quantity.Duration(TimeSpan.FromSeconds(report.UptimeSeconds))}, process {report.Pid}");
        WriteTunnel(output, report, style, "flannelfast peer list");
    }

    /// <summary>The report without the line about the process.</summary>
    /// <param name="output">Where it goes.</param>
    /// <param name="report">A daemon's, or of one tunnel of a flanneld.</param>
    /// <param name="style">Colours or none.</param>
    /// <param name="peersBy">The command that has all peers.</param>
    internal static void WriteTunnel(TextWriter output, StatusReport report, TerminalStyle style, string peersBy)
    {
        WriteTable(output, Overview(report));
        Section(output, style, "capabilities", Capabilities(report, style));
        Section(output, style, "workers", Workers(report, style));
        Section(output, style, "drops", Drops(report, style));
        Section(output, style, $"peers ({Quantity.Count(report.PeerCount)})", report.PeerCount == 0 ? null : PeerRenderer.Table(report.Peers, style));
        if (report.PeerCount > report.Peers.Count)
            output.WriteLine(style.Faint($"  … and {Quantity.Count(report.PeerCount - report.Peers.Count)} more; \"{peersBy}\" shows all"));
    }

    private static TextTable Overview(StatusReport report)
    {
        TunnelReport tunnel = report.Tunnel;
        var table = new TextTable(Column.Left, Column.Left);
        table.Add("device", $"{report.Device.Name} (index {report.Device.Index}), mtu {report.Device.Mtu}, {string.Join(", ", report.Device.Addresses)}");
        table.Add("encapsulation", tunnel.Vni is { } vni ? $"{tunnel.Encapsulation}, vni {vni}, VtepMAC {tunnel.VtepMac}" : tunnel.Encapsulation);
        table.Add("local", $"{tunnel.Local} port {tunnel.Port}, source check {tunnel.SourceCheck}");
        table.Add("subnet", string.Join(" and ", tunnel.Subnets.Zip(tunnel.Networks, (s, n) => $"{s} of {n}")));
        table.Add("express lane", ExpressLane(report));
        table.Add("buffers", $"receive {Quantity.Bytes(report.ReceiveBuffer)}, send {Quantity.Bytes(report.SendBuffer)} per socket");
        table.Add("memory", $"{Quantity.Bytes(report.AllocatedBytes)} allocated in the loops, {Quantity.Count(report.Collections)} collections");
        return table;
    }

    private static string ExpressLane(StatusReport report)
    {
        ExpressLaneReport lane = report.ExpressLane;
        if (!lane.Open) return $"off: {lane.Reason}";
        string carries = ExpressLaneState.Carries(lane.Tcp == true, lane.Xdp == true, lane.Gro == true);
        string refusal = Refusal("VXLAN GRO", lane.GroRefusal) + Refusal("XDP", lane.XdpRefusal);
        return $"on: {report.Device.Name} <-> {lane.Interface}, {carries}{refusal}, {Peers(lane.Peers ?? 0, report.PeerCount)}";

        static string Peers(int inLane, int all) => inLane < all ? $"{Quantity.Count(inLane)} of {PeersOf(all)}" : PeersOf(inLane);

        static string PeersOf(int count) => $"{Quantity.Count(count)} {(count == 1 ? "peer" : "peers")}";

        static string Refusal(string what, string? reason) => reason is null ? "" : $" (no {what}: {reason})";
    }

    private static TextTable Capabilities(StatusReport report, TerminalStyle style)
    {
        var table = new TextTable(Column.Left, Column.Left, Column.Left);
        foreach (CapabilityReport capability in report.Capabilities)
            table.AddStyled(capability.InUse ? style.Good : style.Warning, capability.Name, capability.InUse ? "on" : "off", capability.Detail);
        return table;
    }

    private static TextTable Workers(StatusReport report, TerminalStyle style)
    {
        var table = new TextTable(
            Column.Right, Column.Left, Column.Right, Column.Right, Column.Right, Column.Right, Column.Right, Column.Right, Column.Right);
        table.AddStyled(style.Faint, "worker", "direction", "packets", "bytes", "forwarded", "dropped", "reads", "writes");
        foreach (WorkerReport worker in report.Workers)
        {
            Add($"{worker.Index}", "egress", worker.Egress);
            Add("", "ingress", worker.Ingress);
        }
        ExpressLaneReport lane = report.ExpressLane;
        AddLane("lane", "egress", lane.Egress);
        AddLane("", "ingress", lane.Ingress);
        if (report.Workers.Count > 1 || lane.Egress is not null)
        {
            Add("all", "egress", report.Egress);
            Add("", "ingress", report.Ingress);
        }
        table.Add("");
        table.AddStyled(style.Faint, "worker", "", "wakeups", "pauses", "gso retries", "icmp sent", "withheld", "trimmed", "overflow");
        foreach (WorkerReport w in report.Workers)
        {
            table.Add($"{w.Index}", "", Quantity.Count(w.Wakeups), Quantity.Count(w.Pauses), Quantity.Count(w.GsoFallbacks),
                Quantity.Count(w.IcmpSent), Quantity.Count(w.IcmpSuppressed), Quantity.Count(w.Trimmed), Quantity.Count(w.SocketOverflow));
        }
        return table;

        void Add(string index, string direction, PathReport path) => table.Add(
            index, direction, Quantity.Count(path.Packets), Quantity.Bytes(path.Bytes), Quantity.Count(path.Forwarded),
            Quantity.Count(path.Dropped), Quantity.Count(path.Reads), Quantity.Count(path.Writes));

        void AddLane(string index, string direction, ExpressPathReport? path)
        {
            if (path is null) return;
            table.Add(
                index, direction, Quantity.Count(path.Forwarded + path.Failed), Quantity.Bytes(path.ForwardedBytes), Quantity.Count(path.Forwarded),
                Quantity.Count(path.Failed), "", "");
        }
    }

    private static TextTable? Drops(StatusReport report, TerminalStyle style)
    {
        if (report.Egress.Dropped + report.Ingress.Dropped == 0) return null;
        var table = new TextTable(Column.Left, Column.Right, Column.Right, Column.Left);
        table.AddStyled(style.Faint, "reason", "egress", "ingress", "");
        foreach (string name in report.Egress.Drops.Keys.Union(report.Ingress.Drops.Keys))
        {
            long egress = report.Egress.Drops.GetValueOrDefault(name), ingress = report.Ingress.Drops.GetValueOrDefault(name);
            if (egress + ingress == 0) continue;
            string sentence = DropReasons.All.FirstOrDefault(r => r.Name == name)?.Description ?? "";
            table.Add(name, Quantity.Count(egress), Quantity.Count(ingress), sentence);
        }
        return table;
    }

    private static void Section(TextWriter output, TerminalStyle style, string heading, TextTable? table)
    {
        output.WriteLine();
        output.WriteLine(style.Heading(table is null ? $"{heading}: none" : heading));
        if (table is not null) WriteTable(output, table, indent: "  ");
    }

    private static void WriteTable(TextWriter output, TextTable table, string indent = "")
    {
        foreach (string line in table.Lines()) output.WriteLine(line.Length == 0 ? line : indent + line);
    }
}
