using System.Diagnostics.CodeAnalysis;

namespace FlannelFast.Control.Subnets;

/// <summary>Makes leases of the entries of a registry.</summary>
/// <param name="time">The clock expiry is told in.</param>
/// <param name="usualTimeToLive">What to assume where the store cannot say.</param>
internal sealed class LeaseReader(TimeProvider time, TimeSpan usualTimeToLive)
{
    /// <summary>Reads an entry whose key names a subnet.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="subnet">What its key names.</param>
    /// <param name="known">The lease this key had before; null if there was none or it is not known.</param>
    /// <param name="lease">The lease.</param>
    /// <param name="error">Else what is wrong with the value.</param>
    internal bool TryRead(RegistryEntry entry, LeasedSubnet subnet, Lease? known, [NotNullWhen(true)] out Lease? lease, [NotNullWhen(false)] out string? error)
    {
        lease = null;
        error = entry.IsTruncated ? $"has a value longer than {RegistryEntry.MaxValueSize} bytes" : null;
        if (error is not null) return false;
        if (!LeaseValue.TryParse(entry.Value.Span, out LeaseAttributes? attributes, out string? fault))
        {
            error = $"has a value that {fault}";
            return false;
        }
        lease = new()
        {
            Subnet = subnet,
            Attributes = attributes,
            ExpiresAt = ExpiresAt(entry, known),
            CreateRevision = entry.CreateRevision,
            ModRevision = entry.ModRevision,
        };
        return true;
    }

    /// <summary>The lease of an entry that says what it said before.</summary>
    internal Lease Refresh(RegistryEntry entry, Lease known) => known with { ExpiresAt = ExpiresAt(entry, known) };

    private long? ExpiresAt(RegistryEntry entry, Lease? known)
    {
        if (entry.IsTimeToLiveKnown) return entry.TimeToLive is { } left ? time.After(left) : null;
        bool sameClaim = known?.CreateRevision == entry.CreateRevision;
        if (sameClaim && (known!.IsReservation || known.ModRevision == entry.ModRevision)) return known.ExpiresAt;
        return time.After(usualTimeToLive);
    }
}
