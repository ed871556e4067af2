using System.Text;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Subnets.Etcd;
using FlannelFast.Control.Subnets.Etcd.V3;

namespace FlannelFast.Control.Tests.Subnets.Etcd.V3;

/// <summary>The registry on a real etcd, with etcdctl as the witness of what stock flannel would see.</summary>
public sealed class EtcdV3RegistryTests : IClassFixture<EtcdV3RegistryTests.Plain>
{
    private static readonly TimeSpan s_day = TimeSpan.FromDays(1);

    private readonly EtcdServer _server;
    private readonly string _prefix = $"/test-{Guid.NewGuid():n}";
    private readonly CancellationToken _cancel = TestContext.Current.CancellationToken;

    public EtcdV3RegistryTests(Plain plain) => _server = plain.Server;

    public sealed class Plain : IDisposable
    {
        internal EtcdServer Server { get; } = EtcdServer.Start();

        public void Dispose() => Server.Dispose();
    }

    [Fact]
    public async Task The_config_is_read_and_written()
    {
        await using EtcdV3Registry registry = NewRegistry();
        Assert.Null(await registry.ReadConfigAsync(_cancel));
        await registry.WriteConfigAsync("""{"Network":"10.5.0.0/16"}"""u8.ToArray(), _cancel);
        Assert.Equal("""{"Network":"10.5.0.0/16"}""", Encoding.UTF8.GetString((await registry.ReadConfigAsync(_cancel))!));
        Assert.Equal($"{_prefix}/config\n{{\"Network\":\"10.5.0.0/16\"}}\n", _server.Ctl("get", $"{_prefix}/config"));
    }

    [Fact]
    public async Task Keys_and_values_are_those_of_stock()
    {
        await using EtcdV3Registry registry = NewRegistry();
        const string key = "10.5.52.0-24&fc00:0:0:1::-64", value = """{"PublicIP":"1.2.3.4","PublicIPv6":null}""";
        await registry.CreateAsync(key, Encoding.UTF8.GetBytes(value), s_day, _cancel);
        Assert.Equal($"{_prefix}/subnets/{key}\n{value}\n", _server.Ctl("get", $"{_prefix}/subnets/{key}"));
        Assert.InRange(LeaseSeconds(_server, key), 86390, 86400);
    }

    [Fact]
    public async Task What_stock_wrote_is_read()
    {
        await using EtcdV3Registry registry = NewRegistry();
        string lease = _server.Ctl("lease", "grant", "1000").Split(' ')[1];
        _server.Ctl("put", $"{_prefix}/subnets/10.5.1.0-24", "leased", "--lease", lease);
        _server.Ctl("put", $"{_prefix}/subnets/10.5.2.0-24", "reserved");
        _server.Ctl("put", $"{_prefix}/subnets-old/10.5.3.0-24", "not ours");
        RegistrySnapshot snapshot = await registry.ListAsync(_cancel);
        Assert.Equal(["10.5.1.0-24", "10.5.2.0-24"], snapshot.Entries.Select(entry => entry.Key).Order());
        RegistryEntry leased = snapshot.Entries.Single(entry => entry.Key == "10.5.1.0-24");
        Assert.Equal("leased", Text(leased));
        Assert.InRange(leased.TimeToLive!.Value.TotalSeconds, 990, 1000);
        RegistryEntry reserved = snapshot.Entries.Single(entry => entry.Key == "10.5.2.0-24");
        Assert.Null(reserved.TimeToLive);
        Assert.True(reserved.IsTimeToLiveKnown);
        Assert.Equivalent(reserved, await registry.ReadAsync("10.5.2.0-24", _cancel));
    }

    [Fact]
    public async Task Create_leaves_alone_what_is_there_and_keeps_no_lease_for_it()
    {
        await using EtcdV3Registry registry = NewRegistry();
        RegistryEntry first = (await registry.CreateAsync("10.5.1.0-24", "first"u8.ToArray(), s_day, _cancel))!;
        Assert.Equal(first.CreateRevision, first.ModRevision);
        int leases = Leases();
        Assert.Null(await registry.CreateAsync("10.5.1.0-24", "second"u8.ToArray(), s_day, _cancel));
        Assert.Equal(leases, Leases());
        Assert.Equal("first", Text((await registry.ReadAsync("10.5.1.0-24", _cancel))!));
    }

    [Fact]
    public async Task Replace_takes_a_new_lease_and_revokes_the_old_one()
    {
        await using EtcdV3Registry registry = NewRegistry();
        RegistryEntry first = (await registry.CreateAsync("10.5.1.0-24", "first"u8.ToArray(), TimeSpan.FromSeconds(500), _cancel))!;
        int leases = Leases();
        RegistryEntry second = (await registry.ReplaceAsync("10.5.1.0-24", "second"u8.ToArray(), s_day, first.ModRevision, _cancel))!;
        Assert.Equal(leases, Leases());
        Assert.Equal(first.CreateRevision, second.CreateRevision);
        Assert.True(second.ModRevision > first.ModRevision);
        Assert.InRange(second.TimeToLive!.Value.TotalSeconds, 86390, 86400);
        Assert.InRange(LeaseSeconds(_server, "10.5.1.0-24"), 86390, 86400);
        Assert.Equal("second", Text((await registry.ReadAsync("10.5.1.0-24", _cancel))!));
    }

    [Fact]
    public async Task Replace_of_what_another_host_wrote_does_nothing()
    {
        await using EtcdV3Registry registry = NewRegistry();
        RegistryEntry first = (await registry.CreateAsync("10.5.1.0-24", "first"u8.ToArray(), s_day, _cancel))!;
        _server.Ctl("put", $"{_prefix}/subnets/10.5.1.0-24", "theirs");
        int leases = Leases();
        Assert.Null(await registry.ReplaceAsync("10.5.1.0-24", "second"u8.ToArray(), s_day, first.ModRevision, _cancel));
        Assert.False(await registry.DeleteAsync("10.5.1.0-24", first.ModRevision, _cancel));
        Assert.Equal(leases, Leases());
        Assert.Equal("theirs", Text((await registry.ReadAsync("10.5.1.0-24", _cancel))!));
        _server.Ctl("del", $"{_prefix}/subnets/10.5.1.0-24");
        Assert.Null(await registry.ReplaceAsync("10.5.1.0-24", "second"u8.ToArray(), s_day, first.ModRevision, _cancel));
        Assert.Null(await registry.ReadAsync("10.5.1.0-24", _cancel));
    }

    [Fact]
    public async Task A_lease_of_stock_that_is_taken_over_is_left_to_run_out()
    {
        await using EtcdV3Registry registry = NewRegistry();
        string lease = _server.Ctl("lease", "grant", "1000").Split(' ')[1];
        _server.Ctl("put", $"{_prefix}/subnets/10.5.1.0-24", "stock", "--lease", lease);
        RegistryEntry found = (await registry.ReadAsync("10.5.1.0-24", _cancel))!;
        Assert.NotNull(await registry.ReplaceAsync("10.5.1.0-24", "ours"u8.ToArray(), s_day, found.ModRevision, _cancel));
        Assert.Contains("remaining", _server.Ctl("lease", "timetolive", lease), StringComparison.Ordinal);
        Assert.Equal("ours", Text((await registry.ReadAsync("10.5.1.0-24", _cancel))!));
    }

    [Fact]
    public async Task A_reservation_stays_without_lease_when_it_is_written()
    {
        await using EtcdV3Registry registry = NewRegistry();
        RegistryEntry made = (await registry.CreateAsync("10.5.1.0-24", "reserved"u8.ToArray(), null, _cancel))!;
        RegistryEntry used = (await registry.ReplaceAsync("10.5.1.0-24", "used"u8.ToArray(), null, made.ModRevision, _cancel))!;
        Assert.Null(used.TimeToLive);
        Assert.True(used.IsTimeToLiveKnown);
        string shown = _server.Ctl("get", $"{_prefix}/subnets/10.5.1.0-24", "-w", "json");
        Assert.Contains("mod_revision", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("lease", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Delete_removes_the_key_and_its_lease()
    {
        await using EtcdV3Registry registry = NewRegistry();
        int leases = Leases();
        RegistryEntry made = (await registry.CreateAsync("10.5.1.0-24", "first"u8.ToArray(), s_day, _cancel))!;
        Assert.True(await registry.DeleteAsync("10.5.1.0-24", made.ModRevision, _cancel));
        Assert.Null(await registry.ReadAsync("10.5.1.0-24", _cancel));
        Assert.Equal(leases, Leases());
        Assert.False(await registry.DeleteAsync("10.5.1.0-24", made.ModRevision, _cancel));
    }

    [Fact]
    public async Task Of_many_that_race_for_a_key_one_wins()
    {
        EtcdV3Registry[] hosts = [.. Enumerable.Range(0, 8).Select(_ => NewRegistry())];
        int leases = Leases();
        for (int round = 0; round < 20; round++)
        {
            RegistryEntry?[] made = await Task.WhenAll(hosts.Select((host, i) => host.CreateAsync($"10.5.{round}.0-24", Encoding.UTF8.GetBytes($"{i}"), s_day, _cancel)));
            int winner = Array.FindIndex(made, entry => entry is not null);
            Assert.Equal(1, made.Count(entry => entry is not null));
            Assert.Equal($"{winner}", Text((await hosts[0].ReadAsync($"10.5.{round}.0-24", _cancel))!));
        }
        Assert.Equal(leases + 20, Leases());
        foreach (EtcdV3Registry host in hosts) await host.DisposeAsync();
    }

    [Fact]
    public async Task Changes_are_watched_from_the_snapshot_on()
    {
        await using EtcdV3Registry registry = NewRegistry();
        _server.Ctl("put", $"{_prefix}/subnets/10.5.1.0-24", "before");
        RegistrySnapshot snapshot = await registry.ListAsync(_cancel);
        _server.Ctl("put", $"{_prefix}/subnets/10.5.1.0-24", "between");
        using WatchRig watch = new(registry, snapshot.Revision);
        RegistryChange between = await watch.NextAsync();
        Assert.Equal(("10.5.1.0-24", "between"), (between.Key, Text(between.Entry!)));
        Assert.Equal(snapshot.Revision + 1, between.Revision);

        RegistryEntry made = (await registry.CreateAsync("10.5.2.0-24", "ours"u8.ToArray(), s_day, _cancel))!;
        RegistryChange created = await watch.NextAsync();
        Assert.Equal(made.ModRevision, created.Revision);
        Assert.True(created.Entry!.IsTimeToLiveKnown);
        Assert.InRange(created.Entry.TimeToLive!.Value.TotalSeconds, 86390, 86400);

        _server.Ctl("put", $"{_prefix}/elsewhere", "not watched");
        _server.Ctl("del", $"{_prefix}/subnets/10.5.1.0-24");
        RegistryChange deleted = await watch.NextAsync();
        Assert.Equal(("10.5.1.0-24", null), (deleted.Key, deleted.Entry));
        await watch.StopAsync();
    }

    [Fact]
    public async Task A_key_that_runs_out_is_seen_to_go()
    {
        await using EtcdV3Registry registry = NewRegistry();
        RegistrySnapshot snapshot = await registry.ListAsync(_cancel);
        using WatchRig watch = new(registry, snapshot.Revision);
        await registry.CreateAsync("10.5.1.0-24", "short"u8.ToArray(), TimeSpan.FromSeconds(1), _cancel);
        Assert.NotNull((await watch.NextAsync()).Entry);
        Assert.Null((await watch.NextAsync()).Entry);
    }

    [Fact]
    public async Task Several_keys_of_one_revision_are_resumed_as_one()
    {
        await using EtcdV3Registry registry = NewRegistry();
        RegistrySnapshot snapshot = await registry.ListAsync(_cancel);
        Txn("", $"put {_prefix}/subnets/a 1\nput {_prefix}/subnets/b 2\n");
        using WatchRig first = new(registry, snapshot.Revision);
        RegistryChange a = await first.NextAsync(), b = await first.NextAsync();
        Assert.Equal((snapshot.Revision + 1, false, snapshot.Revision + 1, true), (a.Revision, a.IsLast, b.Revision, b.IsLast));
        using WatchRig resumed = new(registry, a.Revision - 1);
        Assert.Equal(["a", "b"], [(await resumed.NextAsync()).Key, (await resumed.NextAsync()).Key]);
    }

    [Fact]
    public async Task A_watch_below_a_compaction_says_so()
    {
        await using EtcdV3Registry registry = NewRegistry();
        RegistrySnapshot old = await registry.ListAsync(_cancel);
        for (int i = 0; i < 5; i++) _server.Ctl("put", $"{_prefix}/subnets/10.5.1.0-24", $"{i}");
        RegistrySnapshot now = await registry.ListAsync(_cancel);
        using WatchRig standing = new(registry, now.Revision);
        _server.Ctl("compact", $"{now.Revision}");
        using WatchRig late = new(registry, old.Revision);
        RegistryHistoryLostException lost = await Assert.ThrowsAsync<RegistryHistoryLostException>(late.NextAsync);
        Assert.Contains($"{old.Revision + 1}", lost.Message, StringComparison.Ordinal);
        // One that stands does not mind, and the list begins anew.
        _server.Ctl("put", $"{_prefix}/subnets/10.5.1.0-24", "after");
        Assert.Equal("after", Text((await standing.NextAsync()).Entry!));
        Assert.Equal("after", Text(Assert.Single((await registry.ListAsync(_cancel)).Entries)));
    }

    [Fact]
    public async Task A_revision_from_the_future_is_history_lost()
    {
        await using EtcdV3Registry registry = NewRegistry();
        RegistrySnapshot snapshot = await registry.ListAsync(_cancel);
        using WatchRig watch = new(registry, snapshot.Revision + 1000);
        RegistryHistoryLostException lost = await Assert.ThrowsAsync<RegistryHistoryLostException>(watch.NextAsync);
        Assert.Contains("went back", lost.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Values_far_too_large_do_not_hide_the_others()
    {
        await using EtcdV3Registry registry = NewRegistry();
        byte[] large = new byte[1_500_000];
        for (int i = 0; i < 6; i++) await registry.CreateAsync($"large-{i}", large, null, _cancel);
        for (int i = 0; i < 50; i++) await registry.CreateAsync($"10.5.{i}.0-24", "small"u8.ToArray(), null, _cancel);
        RegistrySnapshot snapshot = await registry.ListAsync(_cancel);
        Assert.Equal(56, snapshot.Entries.Count);
        foreach (RegistryEntry entry in snapshot.Entries)
        {
            Assert.Equal(entry.Key.StartsWith("large", StringComparison.Ordinal), entry.IsTruncated);
            Assert.Equal(entry.IsTruncated ? RegistryEntry.MaxValueSize : 5, entry.Value.Length);
        }
        // And a watch over them gets through, which needs fragments: 9 MB in one answer would be refused.
        using WatchRig watch = new(registry, snapshot.Revision - 56);
        for (int i = 0; i < 56; i++) Assert.NotNull((await watch.NextAsync()).Entry);
    }

    [Fact]
    public async Task Names_that_are_no_text_are_handed_on_within_bounds()
    {
        await using EtcdV3Registry registry = NewRegistry();
        await registry.CreateAsync(new string('x', 100_000), "long"u8.ToArray(), null, _cancel);
        Txn("", $"put \"{_prefix}/subnets/\\xff\\xfe\" garbage\n");
        RegistryEntry[] found = [.. (await registry.ListAsync(_cancel)).Entries.OrderBy(entry => entry.Key.Length)];
        Assert.Equal(["��", new string('x', 256) + "…"], found.Select(entry => entry.Key));
    }

    [Fact]
    public async Task Two_thousand_leases_load_in_less_than_a_second()
    {
        await using EtcdV3Registry registry = NewRegistry();
        await Parallel.ForEachAsync(Enumerable.Range(0, 2000), new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (i, cancel) =>
            Assert.NotNull(await registry.CreateAsync($"10.{i / 256}.{i % 256}.0-24", "{}"u8.ToArray(), s_day, cancel)));
        await using EtcdV3Registry other = NewRegistry();
        long started = System.Diagnostics.Stopwatch.GetTimestamp();
        RegistrySnapshot snapshot = await other.ListAsync(_cancel);
        TimeSpan first = System.Diagnostics.Stopwatch.GetElapsedTime(started);
        started = System.Diagnostics.Stopwatch.GetTimestamp();
        RegistrySnapshot second = await other.ListAsync(_cancel);
        TimeSpan again = System.Diagnostics.Stopwatch.GetElapsedTime(started);
        TestContext.Current.TestOutputHelper!.WriteLine($"2,000 leases: {first.TotalMilliseconds:0} ms, again {again.TotalMilliseconds:0} ms");
        Assert.Equal(2000, snapshot.Entries.Count);
        Assert.All(snapshot.Entries, entry => Assert.InRange(entry.TimeToLive!.Value.TotalSeconds, 86300, 86400));
        Assert.All(second.Entries, entry => Assert.True(entry.IsTimeToLiveKnown));
        Assert.InRange(first.TotalSeconds, 0, 1);
        Assert.True(again < first, $"{again} after {first}: the times to live were asked for again");
    }

    internal static string Text(RegistryEntry entry) => Encoding.UTF8.GetString(entry.Value.Span);

    private EtcdV3Registry NewRegistry() => RegistryRig.Open(_server.Endpoint, _prefix);

    private int Leases() => _server.Ctl("lease", "list").Split('\n').Length;

    private long LeaseSeconds(EtcdServer server, string key)
    {
        using var document = System.Text.Json.JsonDocument.Parse(server.Ctl("get", $"{_prefix}/subnets/{key}", "-w", "json"));
        long lease = document.RootElement.GetProperty("kvs")[0].GetProperty("lease").GetInt64();
        string answer = server.Ctl("lease", "timetolive", lease.ToString("x"));
        return long.Parse(answer.Split("remaining(")[1].Split('s')[0]);
    }

    private void Txn(string conditions, string steps) => _server.Input($"{conditions}\n{steps}\n\n", "txn");
}
