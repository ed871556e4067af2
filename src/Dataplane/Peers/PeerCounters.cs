using System.Runtime.InteropServices;

namespace FlannelFast.Dataplane.Peers;

/// <summary>
/// What one worker exchanged with one endpoint. Written by that worker alone with plain additions; readers on other threads see
/// each value whole (64-bit aligned) but perhaps late. Lives in arrays of the worker, never beside those of another worker.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct PeerCounters
{
#pragma warning disable CA1051 // Fields, because the owner increments them in place through a reference.
    /// <summary>Packets sent to the endpoint.</summary>
    public long EgressPackets;

    /// <summary>Inner bytes (from the IP header on) sent to the endpoint.</summary>
    public long EgressBytes;

    /// <summary>Packets accepted from the endpoint.</summary>
    public long IngressPackets;

    /// <summary>Inner bytes (from the IP header on) accepted from the endpoint.</summary>
    public long IngressBytes;

    /// <summary>Packets for the endpoint that the kernel refused to send.</summary>
    public long SendErrors;
#pragma warning restore CA1051

    /// <summary>Adds a reading of <paramref name="other"/>, which its owner may be writing meanwhile.</summary>
    internal void AddReading(ref readonly PeerCounters other)
    {
        EgressPackets += Volatile.Read(in other.EgressPackets);
        EgressBytes += Volatile.Read(in other.EgressBytes);
        IngressPackets += Volatile.Read(in other.IngressPackets);
        IngressBytes += Volatile.Read(in other.IngressBytes);
        SendErrors += Volatile.Read(in other.SendErrors);
    }
}
