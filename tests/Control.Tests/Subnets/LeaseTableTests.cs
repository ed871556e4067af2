using FlannelFast.Control.Subnets;
using static FlannelFast.Control.Tests.Subnets.StoreRig;

namespace FlannelFast.Control.Tests.Subnets;

public sealed class LeaseTableTests
{
    private readonly LeaseTable _table = new();

    [Fact]
    public void The_table_says_what_a_backend_must_look_at()
    {
        Assert.False(_table.IsComplete);
        Assert.True(_table.Apply(new LeaseUpdate.Snapshot([])));
        Assert.True(_table.IsComplete);
        Assert.False(_table.Apply(new LeaseUpdate.Snapshot([])));

        Assert.True(_table.Apply(new LeaseUpdate.Put(Lease(1))));
        // Renewed: another end, another revision, the same words in other JSON.
        Assert.False(_table.Apply(new LeaseUpdate.Put(Lease(1, revision: 9))));
        Assert.Equal(9, _table.Find(Subnet("10.5.1.0/24"))!.ModRevision);
        Assert.True(_table.Apply(new LeaseUpdate.Put(Lease(1, host: 7))));
        Assert.False(_table.Apply(new LeaseUpdate.Removed(Subnet("10.5.2.0/24"))));
        Assert.True(_table.Apply(new LeaseUpdate.Removed(Subnet("10.5.1.0/24"))));
        Assert.Empty(_table.Current);

        Assert.True(_table.Apply(new LeaseUpdate.Snapshot([Lease(1), Lease(2)])));
        Assert.False(_table.Apply(new LeaseUpdate.Snapshot([Lease(2, revision: 5), Lease(1)])));
        Assert.True(_table.Apply(new LeaseUpdate.Snapshot([Lease(1), Lease(3)])));
        Assert.True(_table.Apply(new LeaseUpdate.Snapshot([Lease(1), Lease(3, host: 8)])));
        Assert.Null(_table.Find(Subnet("10.5.2.0/24")));
    }

    [Fact]
    public void What_was_given_out_does_not_change()
    {
        _table.Apply(new LeaseUpdate.Snapshot([Lease(1)]));
        IReadOnlyCollection<Lease> before = _table.Current;
        Assert.Same(before, _table.Current);
        _table.Apply(new LeaseUpdate.Put(Lease(2)));
        Assert.Single(before);
        Assert.Equal(2, _table.Current.Count);
    }

    private static Lease Lease(int number, int? host = null, long revision = 1) => new()
    {
        Subnet = Subnet($"10.5.{number}.0/24"),
        Attributes = Vxlan($"192.0.2.{host ?? number}", $"02:00:00:00:00:0{number}"),
        ExpiresAt = revision * 1000,
        CreateRevision = 1,
        ModRevision = revision,
    };
}
