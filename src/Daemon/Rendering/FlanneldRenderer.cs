using FlannelFast.Control.ControlSocket;

namespace FlannelFast.Daemon.Rendering;

/// <summary><c>flannelfast status</c> of a flanneld for people: what is wrong stands out.</summary>
internal static class FlanneldRenderer
{
    private const string AllBy = "flannelfast status --json";

    internal static void Write(TextWriter output, FlanneldReport report, TerminalStyle style)
    {
        output.WriteLine(style.Heading($"flanneld {report.Version}") +
            $", up {Quantity.Duration(TimeSpan.FromSeconds(report.UptimeSeconds))}, process {report.Pid}");
        WriteTable(output, Overview(report, style));
        output.WriteLine();
        output.WriteLine(style.Heading(report.LeaseCount == 0 ? "leases: none" : $"leases ({Quantity.Count(report.LeaseCount)})"));
        WriteTable(output, Leases(report, style), "  ");
        if (report.LeaseCount > report.Leases.Count)
            output.WriteLine(style.Faint($"  … and {Quantity.Count(report.LeaseCount - report.Leases.Count)} more; \"{AllBy}\" shows all"));
        foreach (StatusReport tunnel in report.Tunnels)
        {
            output.WriteLine();
            StatusRenderer.WriteTunnel(output, tunnel, style, AllBy);
        }
    }

    private static TextTable Overview(FlanneldReport report, TerminalStyle style)
    {
        var table = new TextTable(Column.Left, Column.Left);
        table.AddStyled(report.Ready ? style.Good : style.Warning, "state", report.Ready ? "ready" : report.Phase);
        if (report.Store is { } store) AddStore(table, store, style);
        if (report.Networks is { } networks) table.Add("network", string.Join(" and ", networks));
        if (report.Lease is { } lease) AddLease(table, lease, style);
        if (report.Underlay is { } underlay) table.Add("underlay", Underlay(underlay));
        if (report.Backend is { } backend) AddBackend(table, backend, style);
        if (report.Firewall is { } firewall) AddFirewall(table, firewall, style);
        if (report.SubnetFile is { } file)
            table.AddStyled(file.Written ? text => text : style.Warning, "subnet file", file.Written ? file.Path : $"{file.Path} is not written: {file.Failure}");
        return table;
    }

    private static void AddStore(TextTable table, StoreReport store, TerminalStyle style)
    {
        string age = store.SinceLastListSeconds is { } seconds ? $", read {Quantity.Duration(TimeSpan.FromSeconds(seconds))} ago" : "";
        table.AddStyled(store.Reachable ? text => text : style.Warning,
            "store", store.Reachable ? store.Description + age : store.LastFailure is null ? $"{store.Description}, not read yet" : $"{store.Description}{age}, NOT REACHABLE: {store.LastFailure}");
        long bad = store.BadKeys + store.BadValues + store.BadLeases;
        if (bad + store.Contested > 0)
            table.AddStyled(style.Warning, "", $"{Quantity.Count(bad)} bad entries passed over, {store.Contested} contested leases not used");
    }

    private static void AddLease(TextTable table, OwnLeaseReport lease, TerminalStyle style)
    {
        string subnet = string.Join(" and ", lease.Subnets);
        if (!lease.Held) table.AddStyled(style.Warning, "subnet", $"{subnet}, lease LOST, trying to take it again");
        else table.Add("subnet", lease.ExpiresInSeconds is { } left ? $"{subnet}, lease ends {Expiry(left)}" : $"{subnet}, reserved for this host");
        if (lease.LastFailure is not null) table.AddStyled(style.Warning, "", $"{lease.FailedAttempts} renewals failed: {lease.LastFailure}");
    }

    private static void AddBackend(TextTable table, BackendReport backend, TerminalStyle style)
    {
        table.Add("backend", $"{backend.Type}, data path: {backend.DataPath}, MTU {backend.Mtu} for pods");
        foreach (string failure in backend.Failures) table.AddStyled(style.Warning, "", failure);
    }

    private static void AddFirewall(TextTable table, FirewallReport firewall, TerminalStyle style)
    {
        string repairs = firewall.SinceRepairSeconds is { } age
            ? $", repaired {Quantity.Count(firewall.Repairs)} times, last {Quantity.Duration(TimeSpan.FromSeconds(age))} ago: {firewall.LastRepair}" : "";
        table.AddStyled(firewall.InPlace ? text => text : style.Warning,
            "firewall", firewall.InPlace ? $"{firewall.Mode}, rules in place{repairs}" : $"{firewall.Mode}, rules NOT in place: {firewall.LastError}");
    }

    private static TextTable Leases(FlanneldReport report, TerminalStyle style)
    {
        var table = new TextTable(Column.Left, Column.Left, Column.Left, Column.Left, Column.Left);
        if (report.Leases.Count > 0) table.AddStyled(style.Faint, "subnet", "public ip", "backend", "expires", "via");
        foreach (LeaseReport lease in report.Leases)
        {
            bool isOwn = report.Lease is { } own && lease.Subnet == string.Join(',', own.Subnets);
            table.Add(lease.Subnet, lease.PublicIp, lease.BackendType.Length == 0 ? "-" : lease.BackendType, Expiry(lease.ExpiresInSeconds), isOwn ? "this host" : lease.Via ?? "nothing");
        }
        return table;
    }

    private static string Underlay(UnderlayReport underlay)
    {
        string addresses = string.Join(" and ", underlay.Addresses), published = string.Join(" and ", underlay.PublicAddresses);
        return $"{underlay.Interface} {addresses}, MTU {underlay.Mtu}" + (published == addresses ? "" : $", published as {published}");
    }

    private static string Expiry(double? seconds) => seconds is { } left ? $"in {Quantity.Duration(TimeSpan.FromSeconds(Math.Max(0, left)))}" : "never";

    private static void WriteTable(TextWriter output, TextTable table, string indent = "")
    {
        foreach (string line in table.Lines()) output.WriteLine(line.Length == 0 ? line : indent + line);
    }
}
