using FlannelFast.Control.Subnets.Reports;
using FlannelFast.Control.Tunnels;

namespace FlannelFast.Daemon.Rendering;

/// <summary>A network config for people.</summary>
internal static class NetworkRenderer
{
    internal static IEnumerable<string> Lines(NetworkReport report, TerminalStyle style)
    {
        var table = new TextTable(Column.Left, Column.Left);
        Add("", report.Ipv4);
        Add("ipv6 ", report.Ipv6);
        table.Add("backend", InvalidInputException.Quote(report.BackendType)[1..^1]);
        table.Add("firewall", report.EnableNftables ? "nftables" : "iptables");
        table.Add("stored", InvalidInputException.Quote(report.Config.GetRawText(), limit: 4096)[1..^1]);
        foreach (string line in table.Lines()) yield return line;
        yield return style.Faint($"in {report.Store}");

        void Add(string prefix, FamilyReport? family)
        {
            if (family is null) return;
            table.Add($"{prefix}network", family.Network);
            table.Add($"{prefix}subnets", $"of length {family.SubnetLength}, from {family.SubnetMin} to {family.SubnetMax}");
        }
    }
}
