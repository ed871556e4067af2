using System.Net;

namespace FlannelFast.Control.Tunnels;

/// <summary>What <see cref="LaneNeighbours"/> knows of one host. Times are timestamps of its clock.</summary>
/// <param name="host">PublicIP.</param>
/// <param name="device">Address of its TUN device, as far as is known.</param>
/// <param name="mine">Our number for it.</param>
internal sealed class LaneNeighbour(IPAddress host, IPAddress device, ulong mine)
{
    internal IPAddress Host { get; } = host;

    /// <summary>Address of its TUN device: of several leases the one that it was last heard from.</summary>
    internal IPAddress Device { get; set; } = device;

    internal ulong Mine { get; } = mine;

    /// <summary>Its number for us; 0 while it was never heard.</summary>
    internal ulong Theirs { get; set; }

    /// <summary>Its lane is open, it said, and it heard us.</summary>
    internal bool IsOpen { get; set; }

    /// <summary>When it last said something that shows that it heard us.</summary>
    internal long Confirmed { get; set; }

    /// <summary>When it is spoken to next.</summary>
    internal long Due { get; set; }

    /// <summary>Until the hello after that, while it does not answer.</summary>
    internal TimeSpan Patience { get; set; }

    /// <summary>The look in which it was last asked while it was not heard.</summary>
    internal long AskedIn { get; set; }

    /// <summary>Packets for it at the last count, of which <see cref="Hellos"/> are to be taken off.</summary>
    internal long Packets { get; set; }

    /// <summary>Hellos sent since that are not known to be among the packets counted.</summary>
    internal long Hellos { get; set; }

    /// <summary>When there was last anything but hellos for it, or it was first heard.</summary>
    internal long Used { get; set; }

    /// <summary>Takes a new count.</summary>
    /// <returns>True if there were other packets than our own hellos.</returns>
    internal bool Count(long packets)
    {
        long more = packets - Packets;
        Packets = packets;
        bool isUsed = more > Hellos;
        Hellos = isUsed ? 0 : Hellos - more;
        return isUsed;
    }
}
