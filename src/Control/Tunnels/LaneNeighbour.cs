using System.Net;

namespace FlannelFast.Control.Tunnels;

/// <summary>What <see cref="LaneNeighbours"/> knows of one host. Times are timestamps of its clock.</summary>
/// <param name="host">PublicIP.</param>
/// <param name="device">Address of its TUN device, as far as is known.</param>
internal sealed class LaneNeighbour(IPAddress host, IPAddress device)
{
    internal IPAddress Host { get; } = host;

    /// <summary>Address of its TUN device: of several leases the one that it was last heard from.</summary>
    internal IPAddress Device { get; set; } = device;

    /// <summary>Our number for it; never 0.</summary>
    internal ulong Mine { get; private set; }

    /// <summary>Our number before that, which may still be under way; <see cref="Mine"/> where it is worth nothing.</summary>
    internal ulong Before { get; private set; }

    /// <summary>When our number was drawn.</summary>
    internal long Drawn { get; private set; }

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

    /// <summary>Draws another number: what the host has said can be recorded, and said again by somebody else when it is not true any more.</summary>
    /// <param name="now">Timestamp.</param>
    /// <param name="keepsOne">The present number is good until the next is drawn.</param>
    internal void Draw(long now, bool keepsOne)
    {
        // A Guid needs no OpenSSL (see SegmentNote).
        ulong number = BitConverter.ToUInt64(Guid.NewGuid().ToByteArray()) | 1;
        (Mine, Before, Drawn) = (number, keepsOne ? Mine : number, now);
    }

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
