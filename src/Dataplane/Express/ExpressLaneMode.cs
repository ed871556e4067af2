namespace FlannelFast.Dataplane.Express;

/// <summary>When ordinary packets of known peers are carried inside the kernel, by eBPF programs.</summary>
public enum ExpressLaneMode
{
    /// <summary>Where the host allows it and it is faster: see docs/express-lane.md.</summary>
    Auto,

    /// <summary>As <see cref="Auto"/>, but TCP takes the lane over any interface, with a program in the driver (<see cref="ExpressRoad.Xdp"/>) where it arrives cut.</summary>
    On,

    /// <summary>Never: every packet goes through the engine.</summary>
    Off,
}
