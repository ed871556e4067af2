using System.Globalization;

namespace FlannelFast.Lab.Topologies;

/// <summary>What the nodes are joined by.</summary>
/// <param name="IsWireLike">True if every end does what a plain network card does: no super-packet leaves it.</param>
/// <param name="Mtu">MTU of every end, bytes.</param>
/// <param name="LossPercent">How many of the packets that arrive at a node are dropped there at random, 0 to 50.</param>
internal sealed record Underlay(bool IsWireLike, int Mtu, double LossPercent)
{
    internal const double MaxLoss = 50, MaxShare = 50, MaxDelay = 1000;

    /// <summary>How long a frame takes from one node to another, milliseconds, 0 to 1,000; a round trip takes twice that.</summary>
    internal double DelayMilliseconds { get; init; }

    /// <summary>Share of frames that skip the delay and so overtake others, percent.</summary>
    internal double ReorderPercent { get; init; }

    /// <summary>Share of frames that arrive twice, percent.</summary>
    internal double DuplicatePercent { get; init; }

    /// <summary>Whether frames go through the lab's own relay, because the kernel has nothing that does this to them.</summary>
    internal bool HasRelay => DelayMilliseconds > 0 || ReorderPercent > 0 || DuplicatePercent > 0;

    /// <summary>The setting by its name: veth or wire-like.</summary>
    internal string Setting => IsWireLike ? "wire-like" : "veth";

    /// <summary>What it does to packets, ", delay 5 ms, loss 1 %"; empty if nothing.</summary>
    internal string Impairments => string.Concat(
        Part("delay", DelayMilliseconds, "ms"), Part("reordering", ReorderPercent, "%"), Part("duplication", DuplicatePercent, "%"), Part("loss", LossPercent, "%"));

    /// <summary>Reads the name of a setting.</summary>
    /// <exception cref="LabException">It is neither.</exception>
    internal static bool ParseSetting(string place, string text) => text switch
    {
        "veth" => false,
        "wire-like" => true,
        _ => throw LabException.Input($"{place}: expected veth or wire-like, not \"{text}\""),
    };

    /// <summary>Whether its parts fit each other.</summary>
    /// <exception cref="LabException">They do not.</exception>
    internal void Check()
    {
        if (HasRelay && !IsWireLike)
            throw LabException.Input("delay, reordering and duplication: expected the underlay wire-like, not veth, where 64 KiB cross as one frame and would be late, repeated or lost as one");
        if (ReorderPercent > 0 && DelayMilliseconds == 0)
            throw LabException.Input("reordering: expected a delay as well; a frame overtakes others by skipping it");
    }

    private static string Part(string name, double value, string unit) =>
        value > 0 ? string.Create(CultureInfo.InvariantCulture, $", {name} {value:0.###} {unit}") : "";
}
