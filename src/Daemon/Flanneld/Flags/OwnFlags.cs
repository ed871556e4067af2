using FlannelFast.Control.Backends;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Subnets.Etcd;
using FlannelFast.Control.Tunnels;
using FlannelFast.Daemon.Flanneld.GoFlags;

namespace FlannelFast.Daemon.Flanneld.Flags;

/// <summary>The flags that stock flanneld does not have, beside those of the engine.</summary>
internal sealed class OwnFlags(GoFlagSet set)
{
    internal const string CompatExitCodesName = "compat-exit-codes";

    internal ChoiceFlag<EtcdApi> EtcdApi { get; } = set.Add(new ChoiceFlag<EtcdApi>("etcd-api",
        [("auto", FlannelFast.Control.Subnets.Etcd.EtcdApi.Auto), ("v3", FlannelFast.Control.Subnets.Etcd.EtcdApi.V3), ("v2", FlannelFast.Control.Subnets.Etcd.EtcdApi.V2)],
        "API of etcd to use; auto takes v3, and v2 where only that holds the config"));

    internal TextFlag StoreDirectory { get; } = set.Add(new TextFlag("store-dir", "", "directory of an embedded store to use in place of etcd: for one machine, labs and tests"));

    internal ChoiceFlag<VxlanDataplane> Dataplane { get; } = set.Add(new ChoiceFlag<VxlanDataplane>("dataplane",
        [("auto", VxlanDataplane.Auto), ("userspace", VxlanDataplane.Userspace), ("kernel", VxlanDataplane.Kernel)],
        "who carries vxlan; auto takes the kernel's device, and the packet engine where none can be made"));

    internal ChoiceFlag<LeaseLostPolicy> LeaseLost { get; } = set.Add(new ChoiceFlag<LeaseLostPolicy>("lease-lost",
        [("reacquire", LeaseLostPolicy.Reacquire), ("exit", LeaseLostPolicy.Exit)],
        "what to do when the lease is lost; reacquire ends only where another host has the subnet"));

    internal TextFlag ControlSocket { get; } = set.Add(new TextFlag("control-socket", "",
        $"socket for \"flannelfast status\"; by default {TunnelDefaults.SocketPath}, or beside it one named after another -subnet-file"));

    internal BooleanFlag CompatExitCodes { get; } = set.Add(new BooleanFlag(CompatExitCodesName, false, "exit with 0 after a wrong command line, as stock flanneld does"));
}
