using FlannelFast.Control.Subnets;
using FlannelFast.Tests.Fakes;
using static FlannelFast.Control.Tests.Subnets.StoreRig;

namespace FlannelFast.Control.Tests.Subnets;

public sealed class RenewTests
{
    private static readonly LeaseAttributes s_us = Host("192.0.2.1");

    [Fact]
    public void A_renewal_lasts_from_then_on() => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time);
        Lease lease = await rig.AcquireAsync();
        await Task.Delay(TimeSpan.FromHours(23), time);
        Lease renewed = await rig.Store.RenewAsync(lease, s_us, CancellationToken.None);
        Assert.Equal(Day, time.Until(renewed.ExpiresAt!.Value));
        Assert.Equal(lease.CreateRevision, renewed.CreateRevision);
        await Task.Delay(TimeSpan.FromHours(23), time);
        Assert.NotNull(rig.Cluster.Read(SubnetKey.Format(lease.Subnet)));
        await Task.Delay(TimeSpan.FromHours(1), time);
        Assert.Null(rig.Cluster.Read(SubnetKey.Format(lease.Subnet)));
    });

    [Fact]
    public void A_key_that_is_gone_is_not_made_again() => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time);
        Lease lease = await rig.AcquireAsync(previous: Subnet("10.5.7.0/24"));
        rig.Cluster.Delete("them", "10.5.7.0-24");
        LeaseLostException lost = await Assert.ThrowsAsync<LeaseLostException>(() => rig.Store.RenewAsync(lease, s_us, CancellationToken.None));
        Assert.True(lost.IsFree);
        Assert.Equal("the lease of 10.5.7.0/24 is gone from the store", lost.Message);
        Assert.Empty(rig.Keys);
    });

    [Theory]
    [InlineData("""{"PublicIP":"192.0.2.9"}""", false, "the lease of 10.5.7.0/24 belongs to 192.0.2.9 now")]
    [InlineData("""{"PublicIP":"192.0.2.9"}""", true, "the lease of 10.5.7.0/24 belongs to 192.0.2.9 now")]
    [InlineData("garbage", true, "the lease of 10.5.7.0/24 was overwritten with what is no lease")]
    public void What_another_wrote_is_not_overwritten(string value, bool asNewKey, string message) => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time);
        Lease lease = await rig.AcquireAsync(previous: Subnet("10.5.7.0/24"));
        if (asNewKey) rig.Cluster.Delete("them", "10.5.7.0-24");
        rig.Cluster.Put("them", "10.5.7.0-24", value, Day);
        LeaseLostException lost = await Assert.ThrowsAsync<LeaseLostException>(() => rig.Store.RenewAsync(lease, s_us, CancellationToken.None));
        Assert.False(lost.IsFree);
        Assert.Equal(message, lost.Message);
        Assert.Equal(value, rig.ValueOf("10.5.7.0-24"));
        await rig.Store.ReleaseAsync(lease, CancellationToken.None);
        Assert.Equal(value, rig.ValueOf("10.5.7.0-24"));
    });

    /// <summary>The key is still the one that we made: no host has taken the subnet, and none is overwritten.</summary>
    [Theory]
    [InlineData("garbage")]
    [InlineData("")]
    [InlineData("[]")]
    public void Garbage_in_our_own_key_is_put_right(string value) => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time);
        Lease lease = await rig.AcquireAsync(previous: Subnet("10.5.7.0/24"));
        // Without time to live, as "etcdctl put" writes: that makes no reservation of it.
        rig.Cluster.Put("them", "10.5.7.0-24", value, null);
        Lease renewed = await rig.Store.RenewAsync(lease, s_us, CancellationToken.None);
        Assert.Equal((lease.CreateRevision, false), (renewed.CreateRevision, renewed.IsReservation));
        Assert.Equal(Value("192.0.2.1"), rig.ValueOf("10.5.7.0-24"));
        Assert.Equal(Day, rig.Cluster.Read("10.5.7.0-24")!.TimeToLive);
        Assert.Contains("Warning: the key of this host's lease of 10.5.7.0/24 was overwritten with what is no lease; the lease is written again", rig.Log.Lines);
    });

    [Fact]
    public void A_revision_that_a_restored_store_gave_out_again_opens_nothing() => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time);
        Lease lease = await rig.AcquireAsync(previous: Subnet("10.5.7.0/24"));
        FakeStore.State backup = rig.Cluster.Copy();
        lease = await rig.Store.RenewAsync(lease, s_us, CancellationToken.None);
        rig.Cluster.Restore(backup);
        rig.Put("10.5.7.0-24", "192.0.2.9");
        Assert.Equal(lease.ModRevision, rig.Cluster.Read("10.5.7.0-24")!.ModRevision);
        await Assert.ThrowsAsync<LeaseLostException>(() => rig.Store.RenewAsync(lease, s_us, CancellationToken.None));
        await rig.Store.ReleaseAsync(lease, CancellationToken.None);
        Assert.Equal(Value("192.0.2.9"), rig.ValueOf("10.5.7.0-24"));
    });

    [Fact]
    public void A_renewal_that_was_never_answered_is_made_good_by_the_next() => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time);
        Lease lease = await rig.AcquireAsync();
        rig.Registry.Inject = call => call == "ReplaceAsync" ? RegistryFault.NoAnswer : RegistryFault.None;
        // The address changed too: the store has the new one, we know of the old one only.
        await Assert.ThrowsAsync<StoreUnavailableException>(() => rig.Store.RenewAsync(lease, Host("192.0.2.200"), CancellationToken.None));
        rig.Registry.Inject = _ => RegistryFault.None;
        Lease renewed = await rig.Store.RenewAsync(lease, Host("192.0.2.200"), CancellationToken.None);
        Assert.Equal(Host("192.0.2.200"), renewed.Attributes);
        Assert.Equal(Value("192.0.2.200"), rig.ValueOf(SubnetKey.Format(lease.Subnet)));
        Assert.Equal(lease.CreateRevision, renewed.CreateRevision);
    });

    [Fact]
    public void A_success_that_the_store_only_claims_is_found_out() => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time);
        Lease lease = await rig.AcquireAsync();
        bool written = false;
        rig.Registry.Inject = call =>
        {
            written |= call == "ReplaceAsync";
            // Between the answer and the look at it the key is revoked.
            if (call == "ReadAsync" && written) rig.Cluster.Delete("them", SubnetKey.Format(lease.Subnet));
            return RegistryFault.None;
        };
        LeaseLostException lost = await Assert.ThrowsAsync<LeaseLostException>(() => rig.Store.RenewAsync(lease, s_us, CancellationToken.None));
        Assert.True(lost.IsFree);
    });

    [Fact]
    public void An_answer_from_before_the_renewal_proves_nothing() => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time);
        Lease lease = await rig.AcquireAsync();
        rig.Registry.StaleState = rig.Cluster.Copy();
        rig.Registry.Inject = call => call == "ReadAsync" ? RegistryFault.Stale : RegistryFault.None;
        await Assert.ThrowsAsync<StoreUnavailableException>(() => rig.Store.RenewAsync(lease, s_us, CancellationToken.None));
    });

    [Fact]
    public void A_lease_made_a_reservation_by_the_operator_becomes_one() => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time);
        Lease lease = await rig.AcquireAsync(previous: Subnet("10.5.7.0/24"));
        rig.Put("10.5.7.0-24", "192.0.2.1", null);
        lease = await rig.Store.RenewAsync(lease, s_us, CancellationToken.None);
        Assert.True(lease.IsReservation);
        Assert.Null(rig.Cluster.Read("10.5.7.0-24")!.TimeToLive);
    });

    [Fact]
    public void A_released_subnet_is_free_also_when_its_key_was_written_meanwhile() => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time);
        Lease lease = await rig.AcquireAsync();
        await rig.Store.RenewAsync(lease, s_us, CancellationToken.None);
        await rig.Store.ReleaseAsync(lease, CancellationToken.None);
        Assert.Empty(rig.Keys);
        await rig.Store.ReleaseAsync(lease, CancellationToken.None);
        await rig.Store.DisposeAsync();
        Assert.True(rig.Registry.IsDisposed);
    });

    [Fact]
    public void The_config_is_read_or_missed() => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time, """{"Network":"10.5.0.0/16","Backend":{"Type":"vxlan"}}""");
        Assert.Equal("vxlan", (await rig.Store.ReadNetworkConfigAsync(CancellationToken.None)).Backend.Type);
        rig.Cluster.Config = null;
        NetworkConfigException error = await Assert.ThrowsAsync<NetworkConfigException>(() => rig.Store.ReadNetworkConfigAsync(CancellationToken.None));
        Assert.Equal("flannel config not found in the fake store", error.Message);
    });
}
