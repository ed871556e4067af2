using System.Net;
using FlannelFast.Dataplane.Peers;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Subnets;

/// <summary>
/// Gets a host its subnet from a registry: the one that names it, else the one it had, else one of the first free, chosen at random so that hosts
/// which start together seldom meet. Creating a key is no proof in itself: a key of another length, or a dual-stack key that shares one half, can
/// be made at the same moment. So all are read again afterwards, and whoever was there first stays.
/// </summary>
internal sealed class LeaseAcquirer(ISubnetRegistry registry, RegistryStoreOptions options, TimeProvider time, JitterSource random, ILogger log)
{
    /// <summary>As stock: enough for hosts not to collide, few enough for the used part of the network to stay compact.</summary>
    private const int Choices = 100;

    /// <summary>Each lost round means that another host got a subnet, so that this many are lost only to hundreds of hosts at once or to a broken store.</summary>
    private const int MaxRounds = 100;

    /// <summary>Tries on one reading: with every further loss it is more likely out of date.</summary>
    private const int TriesPerRound = 3;

    private readonly LeaseReader _reader = new(time, options.TimeToLive);

    /// <summary>A key whose name is a subnet inside the network; whatever its value, the subnet is taken.</summary>
    private sealed record Claim(RegistryEntry Entry, LeasedSubnet Subnet, Lease? Lease);

    /// <inheritdoc cref="ISubnetStore.AcquireAsync"/>
    internal async Task<Lease> AcquireAsync(LeaseRequest request, CancellationToken cancel)
    {
        bool previousRefused = false;
        for (int round = 1; round <= MaxRounds; round++)
        {
            List<Claim> claims = await ReadClaimsAsync(request.Network, cancel);
            if (await KeepOwnAsync(request, claims, cancel) is { } kept) return kept;
            if (claims.Exists(claim => IsOwn(claim, request))) continue;
            if (!previousRefused && request.Previous is { } previous)
            {
                if (WhyNotPrevious(previous, request.Network, claims) is { } reason)
                {
                    if (request.OnlyPrevious) throw new LeaseException($"{previous} is not to be had: {reason}");
                    previousRefused = true;
                    log.PreviousNotTaken(previous, reason);
                }
                else if (await TakeAsync(previous, "the one this host had before", request, cancel) is { } again)
                {
                    return again;
                }
                else
                {
                    continue;
                }
            }
            if (await TakeFreeAsync(request, claims, cancel) is { } taken) return taken;
            await Task.Delay(random.Shorten(TimeSpan.FromMilliseconds(20 * Math.Min(round, 10)), 0.9), time, cancel);
        }
        throw new LeaseException("max retries reached trying to acquire a subnet");
    }

    /// <summary>True if this host may write to an entry: its value names the host by one of the attributes.</summary>
    internal static bool IsOwn(RegistryEntry entry, params ReadOnlySpan<LeaseAttributes> own)
    {
        if (entry.IsTruncated || !LeaseValue.TryParse(entry.Value.Span, out LeaseAttributes? attributes, out _)) return false;
        foreach (LeaseAttributes candidate in own)
            if (OwnClaim.IsSameHost(attributes, candidate)) return true;
        return false;
    }

    private async Task<List<Claim>> ReadClaimsAsync(NetworkConfig network, CancellationToken cancel)
    {
        RegistrySnapshot snapshot = await registry.ListAsync(cancel);
        var claims = new List<Claim>(snapshot.Entries.Count);
        foreach (RegistryEntry entry in snapshot.Entries)
        {
            // A key outside the network takes nothing of it; with stock one key "0.0.0.0-1" is enough for "out of subnets".
            if (!SubnetKey.TryParse(entry.Key, out LeasedSubnet? subnet) || LeaseRules.FindFault(subnet, network) is not null) continue;
            claims.Add(new(entry, subnet, _reader.TryRead(entry, subnet, null, out Lease? lease, out _) ? lease : null));
        }
        return claims;
    }

    /// <summary>Takes over the key that names this host, and clears away others that do. Null if there is none, or it changed meanwhile.</summary>
    private async Task<Lease?> KeepOwnAsync(LeaseRequest request, List<Claim> claims, CancellationToken cancel)
    {
        List<Claim> own = claims.FindAll(claim => IsOwn(claim, request));
        own.Sort((a, b) => (a.Subnet != request.Previous, !a.Lease!.IsReservation, a.Entry.CreateRevision)
            .CompareTo((b.Subnet != request.Previous, !b.Lease!.IsReservation, b.Entry.CreateRevision)));
        Lease? kept = null;
        foreach (Claim claim in own)
        {
            string? unfit = kept is not null ? $"it holds {kept.Subnet} already" : WhyUnfit(claim, request.Network, claims);
            if (unfit is null)
            {
                kept = await ReplaceAsync(claim, request, cancel);
                if (kept is null) return null;
                log.LeaseKept(kept.Subnet, Host(request.Attributes));
                continue;
            }
            // Not known to be a lease counts as a reservation here: what somebody wrote by hand is not ours to delete.
            bool isReservation = claim.Entry.TimeToLive is null;
            log.OwnLeaseUnfit(claim.Subnet, unfit, isReservation ? "it has no time to live and is left alone" : "it is deleted");
            if (isReservation || await registry.DeleteAsync(claim.Entry.Key, claim.Entry.ModRevision, cancel)) RemoveFrom(claims, claim, isReservation);
        }
        return kept;
    }

    /// <summary>What is deleted is free; what is left alone stays taken, but is no own lease any more.</summary>
    private static void RemoveFrom(List<Claim> claims, Claim claim, bool isReservation)
    {
        claims.Remove(claim);
        if (isReservation) claims.Add(claim with { Lease = null });
    }

    private static string? WhyUnfit(Claim claim, NetworkConfig network, List<Claim> claims)
    {
        if (!LeaseRules.Fits(claim.Subnet, network)) return "it does not fit the network config";
        Claim? older = claims.Find(other => other != claim && IsBefore(other.Entry, claim.Entry) && Overlap(other.Subnet, claim.Subnet));
        return older is null ? null : $"it overlaps {older.Subnet}, which was there first";
    }

    private static string? WhyNotPrevious(LeasedSubnet previous, NetworkConfig network, List<Claim> claims)
    {
        if (!LeaseRules.Fits(previous, network)) return "it does not fit the network config";
        return claims.Exists(claim => Overlap(claim.Subnet, previous)) ? "another host has it" : null;
    }

    private async Task<Lease?> ReplaceAsync(Claim claim, LeaseRequest request, CancellationToken cancel)
    {
        RegistryEntry? entry = claim.Entry;
        if (!entry.IsTimeToLiveKnown)
        {
            // Taken for a lease a reservation would end tomorrow, and the other way round a lease never.
            entry = await registry.ReadAsync(entry.Key, cancel);
            if (entry is null || entry.ModRevision != claim.Entry.ModRevision) return null;
            if (!entry.IsTimeToLiveKnown)
                throw new StoreUnavailableException($"{registry.Description} does not say whether {claim.Subnet} has a time to live");
        }
        TimeSpan? timeToLive = entry.TimeToLive is null ? null : options.TimeToLive;
        long asked = time.GetTimestamp();
        RegistryEntry? written = await registry.ReplaceAsync(entry.Key, LeaseValue.Format(request.Attributes), timeToLive, entry.ModRevision, cancel);
        return written is null ? null : ToLease(written, claim.Subnet, request.Attributes, timeToLive, asked);
    }

    private async Task<Lease?> TakeFreeAsync(LeaseRequest request, List<Claim> claims, CancellationToken cancel)
    {
        var taken = new List<Prefix>(claims.Count);
        foreach (Claim claim in claims)
        {
            if (claim.Subnet.Ipv4 is { } ipv4) taken.Add(Prefix.From(ipv4));
            if (claim.Subnet.Ipv6 is { } ipv6) taken.Add(Prefix.From(ipv6));
        }
        List<IPNetwork>? freeV4 = request.Network.Ipv4 is { } v4 ? SubnetAllocator.FindFree(v4, taken, Choices) : null;
        List<IPNetwork>? freeV6 = request.Network.Ipv6 is { } v6 ? SubnetAllocator.FindFree(v6, taken, Choices) : null;
        if (freeV4?.Count == 0 || freeV6?.Count == 0) throw new LeaseException("out of subnets");
        for (int i = 0; i < TriesPerRound && freeV4?.Count != 0 && freeV6?.Count != 0; i++)
        {
            var subnet = new LeasedSubnet(TakeOne(freeV4), TakeOne(freeV6));
            if (await TakeAsync(subnet, "one of the free", request, cancel) is { } lease) return lease;
        }
        return null;
    }

    private IPNetwork? TakeOne(List<IPNetwork>? free)
    {
        if (free is null) return null;
        int index = random.Next(free.Count);
        IPNetwork chosen = free[index];
        free.RemoveAt(index);
        return chosen;
    }

    /// <summary>Makes a key; null if somebody was faster.</summary>
    private async Task<Lease?> TakeAsync(LeasedSubnet subnet, string choice, LeaseRequest request, CancellationToken cancel)
    {
        long asked = time.GetTimestamp();
        RegistryEntry? entry = await registry.CreateAsync(SubnetKey.Format(subnet), LeaseValue.Format(request.Attributes), options.TimeToLive, cancel);
        if (entry is null) return null;
        List<Claim> claims = await ReadClaimsAsync(request.Network, cancel);
        if (claims.Exists(other => other.Entry.Key != entry.Key && IsBefore(other.Entry, entry) && Overlap(other.Subnet, subnet)))
        {
            await registry.DeleteAsync(entry.Key, entry.ModRevision, cancel);
            return null;
        }
        log.LeaseTaken(subnet, choice);
        return ToLease(entry, subnet, request.Attributes, options.TimeToLive, asked);
    }

    // Counted from the question: the store began to count before its answer arrived.
    private Lease ToLease(RegistryEntry written, LeasedSubnet subnet, LeaseAttributes attributes, TimeSpan? timeToLive, long asked) => new()
    {
        Subnet = subnet,
        Attributes = attributes,
        ExpiresAt = timeToLive is { } span ? time.Add(asked, span) : null,
        CreateRevision = written.CreateRevision,
        ModRevision = written.ModRevision,
    };

    private static bool IsOwn(Claim claim, LeaseRequest request) =>
        claim.Lease is { } lease && OwnClaim.IsSameHost(lease.Attributes, request.Attributes) && (!request.OnlyPrevious || claim.Subnet == request.Previous);

    private static bool IsBefore(RegistryEntry a, RegistryEntry b) =>
        a.CreateRevision < b.CreateRevision || (a.CreateRevision == b.CreateRevision && string.CompareOrdinal(a.Key, b.Key) < 0);

    private static bool Overlap(LeasedSubnet a, LeasedSubnet b) => Overlap(a.Ipv4, b.Ipv4) || Overlap(a.Ipv6, b.Ipv6);

    private static bool Overlap(IPNetwork? a, IPNetwork? b) => a is { } left && b is { } right && Prefix.From(left).Overlaps(Prefix.From(right));

    private static string Host(LeaseAttributes attributes) => (attributes.PublicIP ?? attributes.PublicIPv6)?.ToString() ?? "this host";
}
