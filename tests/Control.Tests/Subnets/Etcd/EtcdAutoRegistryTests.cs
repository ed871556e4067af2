using FlannelFast.Control.Subnets;
using FlannelFast.Control.Subnets.Etcd;
using Microsoft.Extensions.Logging.Abstractions;

namespace FlannelFast.Control.Tests.Subnets.Etcd;

/// <summary>-etcd-api=auto against a real etcd that serves both APIs, whose keys do not see each other.</summary>
public sealed class EtcdAutoRegistryTests
{
    private const string ConfigKey = "/coreos.com/network/config";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task V2_is_used_where_only_that_holds_the_config_and_stays_for_good()
    {
        using EtcdServer server = EtcdServer.Start(new() { EnableV2 = true });
        await using ISubnetRegistry registry = Open(server);
        Assert.Null(await registry.ReadConfigAsync(Cancel));
        Assert.StartsWith("etcd v3 at ", registry.Description, StringComparison.Ordinal);

        server.CtlV2("set", ConfigKey, "two");
        Assert.Equal("two"u8.ToArray(), await registry.ReadConfigAsync(Cancel));
        Assert.StartsWith("etcd v2 at ", registry.Description, StringComparison.Ordinal);
        server.Ctl("put", ConfigKey, "three");
        Assert.Equal("two"u8.ToArray(), await registry.ReadConfigAsync(Cancel));
        await registry.CreateAsync("10.5.1.0-24", "lease"u8.ToArray(), TimeSpan.FromDays(1), Cancel);
        Assert.Equal("lease\n", server.CtlV2("get", "/coreos.com/network/subnets/10.5.1.0-24"));

        await using ISubnetRegistry later = Open(server);
        Assert.Equal("three"u8.ToArray(), await later.ReadConfigAsync(Cancel));
        Assert.Empty((await later.ListAsync(Cancel)).Entries);
    }

    [Fact]
    public async Task V3_is_used_where_both_hold_one_and_where_v2_is_off()
    {
        using EtcdServer server = EtcdServer.Start();
        await using ISubnetRegistry registry = Open(server);
        Assert.Null(await registry.ReadConfigAsync(Cancel));
        // As the first config of a cluster is written: nobody holds one yet.
        await registry.WriteConfigAsync("three"u8.ToArray(), Cancel);
        Assert.Equal($"{ConfigKey}\nthree\n", server.Ctl("get", ConfigKey));
        Assert.Equal("three"u8.ToArray(), await registry.ReadConfigAsync(Cancel));
        RegistryEntry made = (await registry.CreateAsync("k", "v"u8.ToArray(), null, Cancel))!;
        Assert.NotNull(await registry.ReadAsync("k", Cancel));
        await using IAsyncEnumerator<RegistryChange> watch = registry.WatchAsync((await registry.ListAsync(Cancel)).Revision, Cancel).GetAsyncEnumerator(Cancel);
        ValueTask<bool> next = watch.MoveNextAsync();
        made = (await registry.ReplaceAsync("k", "w"u8.ToArray(), null, made.ModRevision, Cancel))!;
        Assert.True(await registry.DeleteAsync("k", made.ModRevision, Cancel));
        Assert.True(await next);
        Assert.Equal("k", watch.Current.Key);
    }

    [Fact]
    public async Task An_etcd_that_does_not_answer_is_no_reason_for_v2()
    {
        using EtcdServer server = EtcdServer.Start(new() { EnableV2 = true });
        server.CtlV2("set", ConfigKey, "two");
        server.Kill();
        await using ISubnetRegistry registry = Open(server);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => registry.ReadConfigAsync(Cancel));
        Assert.StartsWith("etcd v3 at ", registry.Description, StringComparison.Ordinal);
        server.Launch();
        server.WaitUntilReady();
        Assert.Equal("two"u8.ToArray(), await registry.ReadConfigAsync(Cancel));
    }

    private static ISubnetRegistry Open(EtcdServer server)
    {
        StoreOptions options = new(EtcdOptions.Create(server.Endpoint, EtcdOptions.DefaultPrefix), EtcdApi.Auto, Directory: "");
        return StoreSelection.OpenRegistry(options, TimeProvider.System, NullLoggerFactory.Instance, new Random(1));
    }
}
