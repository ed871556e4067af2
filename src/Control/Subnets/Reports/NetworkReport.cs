using System.Text.Json;

namespace FlannelFast.Control.Subnets.Reports;

/// <summary>What <c>network show --json</c> prints. Names are frozen by a golden file; a change of meaning raises the schema number.</summary>
internal sealed record NetworkReport
{
    public int Schema { get; init; } = 1;

    /// <summary>The store in the words of the log.</summary>
    public required string Store { get; init; }

    /// <summary>Null where EnableIPv4 is false.</summary>
    public required FamilyReport? Ipv4 { get; init; }

    /// <summary>Null unless EnableIPv6 is true.</summary>
    public required FamilyReport? Ipv6 { get; init; }

    public required bool EnableNftables { get; init; }

    public required string BackendType { get; init; }

    /// <summary>The config as it is stored.</summary>
    public required JsonElement Config { get; init; }
}

/// <summary>One address family, defaults filled in.</summary>
internal sealed record FamilyReport(string Network, int SubnetLength, string SubnetMin, string SubnetMax)
{
    internal static FamilyReport? From(FamilyConfig? family) =>
        family is null ? null : new(family.Network.ToString(), family.SubnetLength, family.SubnetMin.ToString(), family.SubnetMax.ToString());
}
