using FlannelFast.Daemon.Flanneld.GoFlags;

namespace FlannelFast.Daemon.Flanneld.Flags;

/// <summary>The flags of stock flanneld that concern the daemon as a whole.</summary>
internal sealed class ProcessFlags(GoFlagSet set)
{
    internal const string DefaultSubnetFile = "/run/flannel/subnet.env";

    internal TextFlag SubnetFile { get; } = set.Add(new TextFlag("subnet-file", DefaultSubnetFile, "filename where env variables (subnet, MTU, ... ) will be written to"));

    // Its range is checked apart, because stock has an exit code of its own for it.
    internal IntegerFlag LeaseRenewMargin { get; } = set.Add(new IntegerFlag("subnet-lease-renew-margin", 60, int.MinValue, int.MaxValue,
        "subnet lease renewal margin, in minutes, ranging from 1 to 1439"));

    internal TextFlag HealthzIP { get; } = set.Add(new TextFlag("healthz-ip", "0.0.0.0", "the IP address for the healthz server to listen on", FlagChecks.Address));

    internal IntegerFlag HealthzPort { get; } = set.Add(new IntegerFlag("healthz-port", 0, int.MinValue, ushort.MaxValue, "the port for the healthz server to listen on, 0 to disable"));

    internal BooleanFlag Version { get; } = set.Add(new BooleanFlag("version", false, "print version and exit"));
}
