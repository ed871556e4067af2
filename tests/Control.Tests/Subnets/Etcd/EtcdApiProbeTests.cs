using System.Text;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Subnets.Etcd;
using FlannelFast.Control.Tests.Subnets.Etcd.V3;
using Microsoft.Extensions.Logging.Abstractions;

namespace FlannelFast.Control.Tests.Subnets.Etcd;

public sealed class EtcdApiProbeTests
{
    private readonly CancellationToken _cancel = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("config", "config", 3, nameof(EtcdApi.V3))]
    [InlineData("config", "down", 3, nameof(EtcdApi.V3))]
    [InlineData("none", "config", 3, nameof(EtcdApi.V2))]
    [InlineData("none", "none", 3, nameof(EtcdApi.V3))]
    [InlineData("none", "down", 3, nameof(EtcdApi.V3))]
    [InlineData("down", "config", 2, nameof(EtcdApi.V2))]
    [InlineData("down", "none", 2, nameof(EtcdApi.V2))]
    [InlineData("down", "config", 3, null)]
    [InlineData("down", "config", null, null)]
    public async Task V3_unless_only_v2_can_be_meant(string v3, string v2, int? major, string? expected)
    {
        Task<EtcdApi> chosen = EtcdApiProbe.ChooseAsync(new OnlyConfig(v3), new OnlyConfig(v2), _ => Task.FromResult(major), _cancel);
        if (expected is null) await Assert.ThrowsAsync<StoreUnavailableException>(() => chosen);
        else Assert.Equal(Enum.Parse<EtcdApi>(expected), await chosen);
    }

    [Theory]
    [InlineData("""{"etcdserver":"3.4.23","etcdcluster":"3.4.0"}""", 3)]
    [InlineData("""{"etcdserver":"2.3.8","etcdcluster":"2.3.0"}""", 2)]
    [InlineData("""{"etcdserver":3}""", null)]
    [InlineData("""{"etcdserver":"x.y"}""", null)]
    [InlineData("[]", null)]
    [InlineData("<html>", null)]
    [InlineData("", null)]
    public void The_major_version_is_read(string answer, int? expected) => Assert.Equal(expected, EtcdVersion.Parse(Encoding.UTF8.GetBytes(answer)));

    [Fact]
    public async Task A_real_etcd_tells_its_version()
    {
        using EtcdServer server = EtcdServer.Start();
        EtcdOptions options = EtcdOptions.Create($"http://127.0.0.1:1,{server.Endpoint}", "/p");
        Assert.Equal(3, await EtcdVersion.ReadMajorAsync(options, new(options, NullLogger.Instance), _cancel));
        server.Kill();
        Assert.Null(await EtcdVersion.ReadMajorAsync(options, new(options, NullLogger.Instance), _cancel));
        // An etcd that is merely down is no reason for v2.
        await using ISubnetRegistry v3 = RegistryRig.Open(options);
        await Assert.ThrowsAsync<StoreUnavailableException>(() =>
            EtcdApiProbe.ChooseAsync(v3, new OnlyConfig("config"), cancel => EtcdVersion.ReadMajorAsync(options, new(options, NullLogger.Instance), cancel), _cancel));
    }

    /// <summary>A registry of which only the config is asked for.</summary>
    private sealed class OnlyConfig(string state) : ISubnetRegistry
    {
        public string Description => state;

        public Task<byte[]?> ReadConfigAsync(CancellationToken cancel) => state switch
        {
            "down" => Task.FromException<byte[]?>(new StoreUnavailableException("down")),
            "none" => Task.FromResult<byte[]?>(null),
            _ => Task.FromResult<byte[]?>([1]),
        };

        public Task WriteConfigAsync(ReadOnlyMemory<byte> value, CancellationToken cancel) => throw new NotSupportedException();

        public Task<RegistrySnapshot> ListAsync(CancellationToken cancel) => throw new NotSupportedException();

        public Task<RegistryEntry?> ReadAsync(string key, CancellationToken cancel) => throw new NotSupportedException();

        public Task<RegistryEntry?> CreateAsync(string key, ReadOnlyMemory<byte> value, TimeSpan? timeToLive, CancellationToken cancel) => throw new NotSupportedException();

        public Task<RegistryEntry?> ReplaceAsync(string key, ReadOnlyMemory<byte> value, TimeSpan? timeToLive, long modRevision, CancellationToken cancel) => throw new NotSupportedException();

        public Task<bool> DeleteAsync(string key, long modRevision, CancellationToken cancel) => throw new NotSupportedException();

        public IAsyncEnumerable<RegistryChange> WatchAsync(long afterRevision, CancellationToken cancel) => throw new NotSupportedException();

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
