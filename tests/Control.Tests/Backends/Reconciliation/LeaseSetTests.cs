using System.Net;
using FlannelFast.Control.Backends.Reconciliation;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Tests.Backends.Support;

namespace FlannelFast.Control.Tests.Backends.Reconciliation;

public sealed class LeaseSetTests
{
    private readonly LeaseSet _leases = new();

    [Fact]
    public void What_a_snapshot_does_not_name_is_gone()
    {
        Assert.False(_leases.IsComplete);
        Assert.True(Take(1, 2, 3));
        Assert.True(_leases.IsComplete);
        Assert.True(Take(2, 4));
        Assert.Equal([2, 4], Hosts());
    }

    [Fact]
    public void The_first_snapshot_is_a_change_also_when_it_is_empty()
    {
        Assert.True(Take());
        Assert.False(Take());
    }

    [Fact]
    public void The_same_again_is_no_change_and_keeps_the_objects()
    {
        Take(1, 2);
        Lease[] before = _leases.ToArray();
        Assert.False(Take(1, 2));
        Assert.Equal(before, _leases.ToArray(), ReferenceEqualityComparer.Instance);
    }

    [Fact]
    public void A_renewal_is_no_change()
    {
        Take(1, 2);
        Lease renewed = Cluster.Lease(2) with { ExpiresAt = 77, ModRevision = 555 };
        Assert.False(_leases.Take(new LeaseUpdate.Put(renewed)));
    }

    [Fact]
    public void Another_address_or_owner_is_a_change()
    {
        Take(1, 2);
        Lease moved = Cluster.Lease(2) with { Attributes = Cluster.Lease(2).Attributes with { PublicIP = IPAddress.Parse("192.0.2.99") } };
        Assert.True(_leases.Take(new LeaseUpdate.Put(moved)));
        Assert.True(_leases.Take(new LeaseUpdate.Put(moved with { CreateRevision = 999 })));
        Assert.Equal(IPAddress.Parse("192.0.2.99"), Assert.Single(_leases.ToArray(), lease => lease.CreateRevision == 999).Attributes.PublicIP);
    }

    [Fact]
    public void A_removal_goes_by_the_subnet()
    {
        Take(1, 2);
        Assert.True(_leases.Take(new LeaseUpdate.Removed(Cluster.Lease(2).Subnet)));
        Assert.False(_leases.Take(new LeaseUpdate.Removed(Cluster.Lease(2).Subnet)));
        Assert.Equal([1], Hosts());
    }

    private bool Take(params int[] hosts) => _leases.Take(new LeaseUpdate.Snapshot([.. hosts.Select(host => Cluster.Lease(host))]));

    private int[] Hosts() => [.. _leases.ToArray().Select(lease => (int)lease.CreateRevision - 100).Order()];
}
