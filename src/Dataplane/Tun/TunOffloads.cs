using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Dataplane.Tun;

/// <summary>What frames may look like on a TUN queue, from plain to richest. Each step includes the ones before it.</summary>
internal enum TunOffloads
{
    /// <summary>Bare IP packets of at most the MTU.</summary>
    None,

    /// <summary>A virtio-net header in front; the kernel leaves checksums open.</summary>
    Checksum,

    /// <summary>TCP super-packets of up to 64 KiB as well.</summary>
    Tso,

    /// <summary>UDP super-packets as well (Linux 6.2).</summary>
    Uso,
}

internal static class TunOffloadsExtensions
{
    /// <summary>The argument of TUNSETOFFLOAD for a step.</summary>
    internal static uint ToFlags(this TunOffloads offloads) => offloads switch
    {
        TunOffloads.Uso => Libc.TUN_F_CSUM | Libc.TUN_F_TSO4 | Libc.TUN_F_TSO6 | Libc.TUN_F_USO4 | Libc.TUN_F_USO6,
        TunOffloads.Tso => Libc.TUN_F_CSUM | Libc.TUN_F_TSO4 | Libc.TUN_F_TSO6,
        TunOffloads.Checksum => Libc.TUN_F_CSUM,
        _ => 0,
    };

    /// <summary>The richest step from <paramref name="wanted"/> down that is taken; <see cref="TunOffloads.None"/> when all are refused.</summary>
    internal static TunOffloads Richest(TunOffloads wanted, Func<TunOffloads, bool> tryStep)
    {
        while (wanted != TunOffloads.None && !tryStep(wanted)) wanted--;
        return wanted;
    }
}
