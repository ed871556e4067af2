using FlannelFast.Control.Subnets.Reports;
using FlannelFast.Control.Tunnels;

namespace FlannelFast.Daemon.Rendering;

/// <summary>Leases as a table, and below it what is none.</summary>
internal static class LeaseRenderer
{
    internal static IEnumerable<string> Lines(LeaseListReport report, TerminalStyle style)
    {
        var table = new TextTable(Column.Left, Column.Left, Column.Left, Column.Left, Column.Left);
        table.AddStyled(style.Faint, "subnet", "public ip", "backend", "ends in", "data");
        foreach (LeaseReport lease in report.Leases)
        {
            table.Add(
                Both(lease.Subnet, lease.Ipv6Subnet), Both(lease.PublicIp, lease.PublicIpv6), Quote(lease.BackendType), End(lease),
                Quote(Both(lease.BackendData?.GetRawText(), lease.BackendV6Data?.GetRawText())));
        }
        foreach (string line in table.Lines()) yield return line;
        foreach (IgnoredKeyReport key in report.Ignored)
            yield return style.Warning($"ignored: {InvalidInputException.Quote(key.Key)} {key.Reason}");
        yield return style.Faint($"{report.Leases.Count} {(report.Leases.Count == 1 ? "lease" : "leases")} in {report.Store}");
    }

    private static string End(LeaseReport lease) => lease switch
    {
        { Reserved: true } => "reserved",
        { ExpiresInSeconds: { } seconds } => Quantity.Duration(TimeSpan.FromSeconds(seconds)),
        _ => "unknown",
    };

    private static string Both(string? one, string? other) => string.Join(',', new[] { one, other }.Where(text => text is not null));

    /// <summary>Anybody who may write to the store can write anything, also what would move the cursor of a terminal.</summary>
    private static string Quote(string? foreign) => InvalidInputException.Quote(foreign ?? "", limit: 120)[1..^1];
}
