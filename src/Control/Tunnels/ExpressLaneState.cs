namespace FlannelFast.Control.Tunnels;

/// <summary>Whether the express lane is open.</summary>
/// <param name="Underlay">Name of the interface it runs over; null while it is closed.</param>
/// <param name="Reason">Why it is closed, in one clause; null while it is open.</param>
internal sealed record ExpressLaneState(string? Underlay, string? Reason)
{
    /// <summary>Why it runs without the program in the driver that it would have; null where it has it or wants none.</summary>
    internal string? XdpRefusal { get; init; }

    /// <summary>Why the tunnel's port is not lent to the VXLAN driver, where that would help; null where it is, or would not.</summary>
    internal string? GroRefusal { get; init; }

    /// <summary>What an open lane carries, in the words of log and status.</summary>
    internal static string Carries(bool tcp, bool xdp, bool gro) => xdp ? "with TCP and XDP" : gro ? "with TCP and VXLAN GRO" : tcp ? "with TCP" : "without TCP";
}
