using System.Diagnostics;
using System.Net;
using System.Text;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Subnets.Etcd;
using FlannelFast.Control.Subnets.Etcd.Grpc;
using FlannelFast.Control.Subnets.Etcd.V3;

namespace FlannelFast.Control.Tests.Subnets.Etcd.V3;

/// <summary>The registry while real etcd servers are killed, stopped, restored and made to ask for certificates and passwords.</summary>
public sealed class EtcdV3FaultTests
{
    private const string Subnets = EtcdOptions.DefaultPrefix + "/subnets/";

    private static readonly TimeSpan s_day = TimeSpan.FromDays(1);

    private readonly CancellationToken _cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Killed_and_back_again()
    {
        using EtcdServer server = EtcdServer.Start();
        await using EtcdV3Registry registry = RegistryRig.Open(server.Endpoint);
        RegistryEntry made = (await registry.CreateAsync("10.5.1.0-24", "one"u8.ToArray(), s_day, _cancel))!;
        using WatchRig watch = new(registry, made.ModRevision - 1);
        Assert.Equal(made.ModRevision, (await watch.NextAsync()).Revision);
        Task<RegistryChange> next = watch.NextAsync();
        server.Kill();
        StoreUnavailableException broken = await Assert.ThrowsAsync<StoreUnavailableException>(() => next);
        Assert.Contains(server.Endpoint, broken.Message, StringComparison.Ordinal);
        StoreUnavailableException down = await Assert.ThrowsAsync<StoreUnavailableException>(() => registry.ListAsync(_cancel));
        Assert.StartsWith($"etcd: {server.Endpoint}: no connection: Connection refused", down.Message, StringComparison.Ordinal);
        server.Launch();
        server.WaitUntilReady();
        server.Ctl("put", Subnets + "10.5.2.0-24", "two");
        long started = Stopwatch.GetTimestamp();
        using WatchRig again = new(registry, made.ModRevision);
        Assert.Equal("two", EtcdV3RegistryTests.Text((await again.NextAsync()).Entry!));
        Assert.Equal(2, (await registry.ListAsync(_cancel)).Entries.Count);
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, 2);
    }

    [Fact]
    public async Task A_stopped_server_fails_calls_in_time_and_breaks_the_watch()
    {
        using EtcdServer server = EtcdServer.Start();
        await using EtcdV3Registry registry = RegistryRig.Open(server.Endpoint);
        RegistrySnapshot snapshot = await registry.ListAsync(_cancel);
        using WatchRig watch = new(registry, snapshot.Revision);
        server.Ctl("put", Subnets + "10.5.1.0-24", "seen");
        await watch.NextAsync();
        Task<RegistryChange> next = watch.NextAsync();
        server.Pause();
        try
        {
            long started = Stopwatch.GetTimestamp();
            StoreUnavailableException late = await Assert.ThrowsAsync<StoreUnavailableException>(() => registry.ListAsync(_cancel));
            Assert.Equal($"etcd: {server.Endpoint}: no answer within 5 s (DeadlineExceeded)", late.Message);
            Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 4.5, 7);
            await Assert.ThrowsAsync<StoreUnavailableException>(() => next);
            Assert.InRange(Stopwatch.GetElapsedTime(started), GrpcChannel.PingInterval, 3 * GrpcChannel.PingInterval);
        }
        finally
        {
            server.Resume();
        }
        Assert.Equal(snapshot.Revision + 1, (await registry.ListAsync(_cancel)).Revision);
    }

    [Fact]
    public async Task With_three_members_one_may_hang_and_the_leader_may_die()
    {
        using EtcdCluster cluster = EtcdCluster.Start();
        await using EtcdV3Registry registry = RegistryRig.Open(cluster.Endpoints);
        RegistryEntry made = (await registry.CreateAsync("10.5.1.0-24", "one"u8.ToArray(), s_day, _cancel))!;
        foreach (EtcdServer member in cluster.Members)
        {
            member.Pause();
            try
            {
                long started = Stopwatch.GetTimestamp();
                Assert.Equal("one", EtcdV3RegistryTests.Text((await EventuallyAsync(() => registry.ReadAsync("10.5.1.0-24", _cancel)))!));
                Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, 12);
            }
            finally
            {
                member.Resume();
            }
        }
        EtcdServer leader = cluster.Leader();
        leader.Kill();
        RegistryEntry? renewed = await EventuallyAsync(() => registry.ReplaceAsync("10.5.1.0-24", "two"u8.ToArray(), s_day, made.ModRevision, _cancel));
        RegistryEntry now = (await registry.ReadAsync("10.5.1.0-24", _cancel))!;
        Assert.Equal("two", EtcdV3RegistryTests.Text(now));
        // A write whose outcome was open may have been the one that counts; then the repeated one refused itself.
        if (renewed is not null) Assert.Equal(renewed.ModRevision, now.ModRevision);
    }

    [Fact]
    public async Task A_member_without_leader_ends_its_watches_and_gives_no_stale_list()
    {
        using EtcdCluster cluster = EtcdCluster.Start();
        EtcdServer alone = cluster.Members[0];
        await using EtcdV3Registry registry = RegistryRig.Open(alone.Endpoint);
        RegistrySnapshot snapshot = await registry.ListAsync(_cancel);
        using WatchRig watch = new(registry, snapshot.Revision);
        alone.Ctl("put", Subnets + "10.5.1.0-24", "seen");
        await watch.NextAsync();
        Task<RegistryChange> next = watch.NextAsync();
        cluster.Members[1].Kill();
        cluster.Members[2].Kill();
        StoreUnavailableException lost = await Assert.ThrowsAsync<StoreUnavailableException>(() => next);
        Assert.Contains("no leader", lost.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => registry.ListAsync(_cancel));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => registry.CreateAsync("10.5.1.0-24", "x"u8.ToArray(), null, _cancel));
    }

    [Fact]
    public async Task A_store_restored_from_older_data_is_noticed()
    {
        IPAddress address = EtcdServer.NewAddress();
        using EtcdServer before = EtcdServer.Start(new() { Address = address });
        for (int i = 0; i < 5; i++) before.Ctl("put", Subnets + "10.5.1.0-24", $"{i}");
        await using EtcdV3Registry registry = RegistryRig.Open(before.Endpoint);
        await using EtcdV3Registry fresh = RegistryRig.Open(before.Endpoint);
        RegistrySnapshot snapshot = await registry.ListAsync(_cancel);
        before.Kill();
        using EtcdServer after = EtcdServer.Start(new() { Address = address, Token = "restored" });
        using WatchRig watch = new(registry, snapshot.Revision);
        RegistryHistoryLostException other = await Assert.ThrowsAsync<RegistryHistoryLostException>(watch.NextAsync);
        Assert.Contains("another one", other.Message, StringComparison.Ordinal);
        // And by its revision alone, where the cluster's id stayed the same.
        using WatchRig unaware = new(fresh, snapshot.Revision);
        RegistryHistoryLostException back = await Assert.ThrowsAsync<RegistryHistoryLostException>(unaware.NextAsync);
        Assert.Contains("went back", back.Message, StringComparison.Ordinal);
        Assert.Empty((await registry.ListAsync(_cancel)).Entries);
    }

    [Fact]
    public async Task Tls_with_client_certificates_that_are_rotated()
    {
        IPAddress address = EtcdServer.NewAddress();
        using TestCertificates certificates = new(address);
        using EtcdServer server = EtcdServer.Start(new() { Address = address, Tls = certificates });
        EtcdOptions options = EtcdOptions.Create(server.Endpoint, "/p", certificates.Authority, certificates.ClientCertificate, certificates.ClientKey);
        await using EtcdV3Registry registry = RegistryRig.Open(options);
        RegistryEntry made = (await registry.CreateAsync("10.5.1.0-24", "one"u8.ToArray(), s_day, _cancel))!;
        using (WatchRig watch = new(registry, made.ModRevision - 1)) Assert.NotNull((await watch.NextAsync()).Entry);
        // The connection that stands is kept; the next one shows the new certificate.
        certificates.WriteClient("renewed");
        Assert.NotNull(await registry.ReadAsync("10.5.1.0-24", _cancel));
        server.Kill();
        server.Launch();
        server.WaitUntilReady();
        Assert.NotNull(await EventuallyAsync(() => registry.ReadAsync("10.5.1.0-24", _cancel)));

        await using EtcdV3Registry withoutCertificate = RegistryRig.Open(EtcdOptions.Create(server.Endpoint, "/p", certificates.Authority));
        StoreUnavailableException refused = await Assert.ThrowsAsync<StoreUnavailableException>(() => withoutCertificate.ListAsync(_cancel));
        Assert.DoesNotContain('\n', refused.Message);
        using TestCertificates others = new(address);
        await using EtcdV3Registry ofAnother = RegistryRig.Open(EtcdOptions.Create(server.Endpoint, "/p", others.Authority, certificates.ClientCertificate, certificates.ClientKey));
        StoreUnavailableException untrusted = await Assert.ThrowsAsync<StoreUnavailableException>(() => ofAnother.ListAsync(_cancel));
        Assert.Contains("no TLS: the server's certificate \"CN=server\" is refused", untrusted.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_certificate_that_ran_out_is_an_error_until_it_is_renewed()
    {
        IPAddress address = EtcdServer.NewAddress();
        using TestCertificates certificates = new(address);
        using EtcdServer server = EtcdServer.Start(new() { Address = address, Tls = certificates, RequireClientCertificate = false });
        await using EtcdV3Registry registry = RegistryRig.Open(EtcdOptions.Create(server.Endpoint, "/p", certificates.Authority));
        // etcd reads its own certificate anew for every handshake.
        certificates.WriteServer(address, DateTimeOffset.UtcNow.AddMinutes(-1));
        StoreUnavailableException expired = await Assert.ThrowsAsync<StoreUnavailableException>(() => registry.ListAsync(_cancel));
        Assert.Contains("NotTimeValid", expired.Message, StringComparison.Ordinal);
        certificates.WriteServer(address, DateTimeOffset.UtcNow.AddHours(1));
        Assert.Empty((await registry.ListAsync(_cancel)).Entries);
    }

    [Fact]
    public async Task A_user_with_a_password_whose_token_runs_out()
    {
        using EtcdServer server = EtcdServer.Start(new() { Arguments = ["--auth-token-ttl", "1"] });
        using RecordingLoggers log = new();
        await using EtcdV3Registry registry = RegistryRig.Open(EtcdOptions.Create(server.Endpoint, EtcdOptions.DefaultPrefix, userName: "flannel", password: "s3cret"), log);
        // Before authentication is on, the user is not used.
        Assert.Empty((await registry.ListAsync(_cancel)).Entries);
        EnableAuthentication(server);
        RegistryEntry made = (await registry.CreateAsync("10.5.1.0-24", "one"u8.ToArray(), s_day, _cancel))!;
        using WatchRig watch = new(registry, made.ModRevision);
        for (int i = 0; i < 3; i++)
        {
            // etcd looks for tokens to forget once a second.
            await Task.Delay(2500, _cancel);
            made = (await registry.ReplaceAsync("10.5.1.0-24", Encoding.UTF8.GetBytes($"{i}"), s_day, made.ModRevision, _cancel))!;
            Assert.Equal(made.ModRevision, (await watch.NextAsync()).Revision);
        }
        await Task.Delay(2500, _cancel);
        // 3.4 answers a watch with a forgotten token by "permission denied".
        using WatchRig second = new(registry, made.ModRevision - 1);
        Assert.Equal(made.ModRevision, (await second.NextAsync()).Revision);
        Assert.DoesNotContain(log.Lines, line => line.Contains("s3cret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_wrong_password_is_not_tried_in_a_tight_loop()
    {
        using EtcdServer server = EtcdServer.Start();
        EnableAuthentication(server);
        await using EtcdV3Registry registry = RegistryRig.Open(EtcdOptions.Create(server.Endpoint, EtcdOptions.DefaultPrefix, userName: "flannel", password: "wr0ng"));
        int calls = 0;
        for (long started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(2); calls++)
        {
            StoreUnavailableException refused = await Assert.ThrowsAsync<StoreUnavailableException>(() => registry.ListAsync(_cancel));
            Assert.Contains("authentication failed", refused.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("wr0ng", refused.ToString(), StringComparison.Ordinal);
            await Task.Delay(5, _cancel);
        }
        Assert.True(calls > 50, $"{calls} calls");
        int asked = server.Log().Split("invalid user name or password").Length + server.Log().Split("authentication failed").Length - 2;
        Assert.InRange(asked, 1, 20);
    }

    [Fact]
    public async Task A_user_who_may_not_write_is_told_so_and_keeps_its_token()
    {
        using EtcdServer server = EtcdServer.Start();
        EnableAuthentication(server, "read");
        await using EtcdV3Registry registry = RegistryRig.Open(EtcdOptions.Create(server.Endpoint, EtcdOptions.DefaultPrefix, userName: "flannel", password: "s3cret"));
        Assert.Empty((await registry.ListAsync(_cancel)).Entries);
        StoreUnavailableException refused = await Assert.ThrowsAsync<StoreUnavailableException>(() => registry.CreateAsync("10.5.1.0-24", "one"u8.ToArray(), s_day, _cancel));
        Assert.Contains("permission denied (PermissionDenied)", refused.Message, StringComparison.Ordinal);
        Assert.Empty((await registry.ListAsync(_cancel)).Entries);
        server.User = "root:root";
        Assert.Equal("found 0 leases", server.Ctl("lease", "list").Trim());
    }

    private static void EnableAuthentication(EtcdServer server, string permission = "readwrite")
    {
        server.Ctl("user", "add", "root:root");
        server.Ctl("user", "grant-role", "root", "root");
        server.Ctl("user", "add", "flannel:s3cret");
        server.Ctl("role", "add", "flannel");
        server.Ctl("role", "grant-permission", "flannel", permission, EtcdOptions.DefaultPrefix + "/", "--prefix=true");
        server.Ctl("user", "grant-role", "flannel", "flannel");
        server.Ctl("auth", "enable");
        server.User = "root:root";
    }

    /// <summary>As the store above does: tries on while the registry says that etcd cannot be asked.</summary>
    private async Task<T> EventuallyAsync<T>(Func<Task<T>> call)
    {
        for (long started = Stopwatch.GetTimestamp(); ;)
        {
            try
            {
                return await call();
            }
            catch (StoreUnavailableException) when (Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(20))
            {
                await Task.Delay(50, _cancel);
            }
        }
    }
}
