namespace FlannelFast.Lab.Topologies;

/// <summary>What the nodes are joined by.</summary>
/// <param name="IsWireLike">True if every end does what a plain network card does: no super-packet leaves it.</param>
/// <param name="Mtu">MTU of every end, bytes.</param>
/// <param name="LossPercent">How many of the packets that arrive at a node are dropped there at random, 0 to 50.</param>
internal sealed record Underlay(bool IsWireLike, int Mtu, double LossPercent)
{
    internal const double MaxLoss = 50;

    /// <summary>The setting by its name: veth or wire-like.</summary>
    internal string Setting => IsWireLike ? "wire-like" : "veth";

    /// <summary>Reads the name of a setting.</summary>
    /// <exception cref="LabException">It is neither.</exception>
    internal static bool ParseSetting(string place, string text) => text switch
    {
        "veth" => false,
        "wire-like" => true,
        _ => throw LabException.Input($"{place}: expected veth or wire-like, not \"{text}\""),
    };
}
