using System.Net;
using FlannelFast.Control.ControlSocket;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Daemon.Tests.Flanneld.Hosting;

public sealed class FlanneldHostTests : IDisposable
{
    private readonly FlanneldRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Fact]
    public async Task It_starts_in_the_order_of_stock()
    {
        _rig.WriteConfig();
        await _rig.StartReadyAsync("-ip-masq");
        Lease lease = Assert.Single(await _rig.LeasesAsync());

        Assert.Equal(["backend prepared on 192.0.2.1", $"backend started with {lease.Subnet}", $"rules for {lease.Subnet}"], _rig.Events);
        Assert.Equal($"FLANNEL_NETWORK=10.5.0.0/16\nFLANNEL_SUBNET={FirstOf(lease)}\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n", await File.ReadAllTextAsync(_rig.SubnetFile, TestContext.Current.CancellationToken));
        string[] heard = _rig.Manager.Heard();
        Assert.Equal(
            ["STATUS=waiting for the network config", "STATUS=choosing the interface", "STATUS=preparing the scripted backend", "STATUS=waiting for a subnet", "STATUS=setting up the firewall", "STATUS=running"],
            heard[..^1]);
        Assert.Equal($"READY=1\nSTATUS=scripted, subnet {lease.Subnet} of 10.5.0.0/16, MTU 1450, eth0 192.0.2.1", heard[^1]);
    }

    [Fact]
    public async Task The_lease_says_what_the_backend_announces()
    {
        _rig.WriteConfig();
        await _rig.StartReadyAsync();
        Lease lease = Assert.Single(await _rig.LeasesAsync());
        Assert.Equal((IPAddress.Parse("192.0.2.1"), "scripted", "{\"n\":1}"), (lease.Attributes.PublicIP, lease.Attributes.BackendType, lease.Attributes.BackendData.ToString()));
    }

    [Fact]
    public async Task A_config_that_comes_later_is_waited_for_with_one_line_in_the_log()
    {
        Task<int> run = _rig.Start();
        await _rig.Log.WaitForAsync("couldn't fetch network config");
        await Task.Delay(2500, TestContext.Current.CancellationToken);
        Assert.Equal("waiting for the network config", (await _rig.StatusAsync()).Phase);
        Assert.False(run.IsCompleted);
        _rig.WriteConfig();
        await _rig.Log.WaitForAsync("ready: ");
        Assert.Single(_rig.Log.Lines, line => line.StartsWith("couldn't fetch network config", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_stop_while_waiting_is_a_clean_end()
    {
        Task<int> run = _rig.Start();
        await _rig.Log.WaitForAsync("couldn't fetch network config");
        _rig.Signals.RequestStop();
        Assert.Equal(0, await run);
        Assert.Equal("exiting cleanly", _rig.Log.Lines[^1]);
        Assert.Equal("STOPPING=1", _rig.Manager.Heard()[^1]);
    }

    [Fact]
    public async Task A_stop_leaves_lease_and_file_and_the_next_start_takes_them_up()
    {
        _rig.WriteConfig();
        Task<int> run = await _rig.StartReadyAsync();
        Lease lease = Assert.Single(await _rig.LeasesAsync());
        _rig.Signals.RequestStop();
        Assert.Equal(0, await run);
        Assert.True(_rig.Backend!.IsDisposed);
        Assert.Equal(lease.Subnet, Assert.Single(await _rig.LeasesAsync()).Subnet);
        Assert.True(File.Exists(_rig.SubnetFile));
        Assert.Equal("STOPPING=1", _rig.Manager.Heard()[^1]);
    }

    [Fact]
    public async Task The_subnet_of_the_file_is_asked_for_again()
    {
        _rig.WriteConfig();
        await File.WriteAllTextAsync(_rig.SubnetFile, "FLANNEL_NETWORK=10.5.0.0/16\nFLANNEL_SUBNET=10.5.200.1/24\n", TestContext.Current.CancellationToken);
        await _rig.StartReadyAsync();
        Assert.Equal("10.5.200.0/24", $"{Assert.Single(await _rig.LeasesAsync()).Subnet}");
    }

    [Fact]
    public async Task A_lease_that_another_host_has_ends_the_daemon_as_with_stock()
    {
        _rig.WriteConfig();
        Task<int> run = await _rig.StartReadyAsync();
        string key = Path.Combine(_rig.Files["store"], "subnets");
        Lease lease = Assert.Single(await _rig.LeasesAsync());
        await _rig.Store.RenewAsync(lease, lease.Attributes with { PublicIP = IPAddress.Parse("192.0.2.9") }, TestContext.Current.CancellationToken);
        Assert.Equal(0, await run.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));
        Assert.Contains(_rig.Log.Lines, line => line.StartsWith("lease has been revoked, shutting down daemon: ", StringComparison.Ordinal));
        Assert.True(Directory.Exists(key));
    }

    [Fact]
    public async Task A_deleted_lease_is_taken_again()
    {
        _rig.WriteConfig();
        Task<int> run = await _rig.StartReadyAsync();
        Lease lease = Assert.Single(await _rig.LeasesAsync());
        await _rig.Store.ReleaseAsync(lease, TestContext.Current.CancellationToken);
        await _rig.Log.WaitForAsync($"lease of {lease.Subnet} taken again");
        Assert.Equal(lease.Subnet, Assert.Single(await _rig.LeasesAsync()).Subnet);
        Assert.False(run.IsCompleted);
    }

    [Fact]
    public async Task With_exit_a_deleted_lease_ends_the_daemon()
    {
        _rig.WriteConfig();
        Task<int> run = await _rig.StartReadyAsync("-lease-lost=exit");
        await _rig.Store.ReleaseAsync(Assert.Single(await _rig.LeasesAsync()), TestContext.Current.CancellationToken);
        Assert.Equal(0, await run.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_data_path_that_dies_ends_the_daemon()
    {
        _rig.WriteConfig();
        Task<int> run = await _rig.StartReadyAsync();
        _rig.Backend!.Die("the engine is gone");
        Assert.Equal(1, await run);
        Assert.Contains("the engine is gone", _rig.Log.Lines);
    }

    [Fact]
    public async Task A_backend_that_cannot_be_prepared_ends_the_daemon()
    {
        _rig.WriteConfig();
        _rig.BackendRefusal = new NetworkConfigException("unknown backend type: scripted");
        Assert.Equal(1, await _rig.Start());
        Assert.Contains("unknown backend type: scripted", _rig.Log.Lines);
        Assert.Empty(await _rig.LeasesAsync());
    }

    [Fact]
    public async Task An_interface_that_is_not_there_ends_the_daemon()
    {
        _rig.WriteConfig();
        Assert.Equal(1, await _rig.Start("-iface=eth7"));
        Assert.Contains("failed to find interface to use that matches the interfaces and/or regexes provided", _rig.Log.Lines);
        Assert.Empty(_rig.Events);
    }

    [Fact]
    public async Task A_health_port_that_is_taken_ends_the_daemon_with_the_code_of_a_panic()
    {
        using var other = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        other.Start();
        Assert.Equal(2, await _rig.Start("-healthz-ip=127.0.0.1", $"-healthz-port={((IPEndPoint)other.LocalEndpoint).Port}"));
    }

    [Fact]
    public async Task Health_is_told_from_the_start_and_readiness_at_the_end()
    {
        int port = FreePort();
        Task<int> run = _rig.Start("-healthz-ip=127.0.0.1", $"-healthz-port={port}");
        await _rig.Log.WaitForAsync("couldn't fetch network config");
        using var client = new HttpClient();
        Assert.Equal("flanneld is running", await client.GetStringAsync($"http://127.0.0.1:{port}/healthz", TestContext.Current.CancellationToken));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await ReadinessAsync(client, port));
        _rig.WriteConfig();
        await _rig.Log.WaitForAsync("ready: ");
        Assert.Equal(HttpStatusCode.OK, await ReadinessAsync(client, port));
        Assert.False(run.IsCompleted);
    }

    [Fact]
    public async Task A_subnet_file_that_cannot_be_written_keeps_the_daemon_unready_until_it_can()
    {
        _rig.WriteConfig();
        Directory.CreateDirectory(_rig.SubnetFile);
        Task<int> run = await _rig.StartReadyAsync();
        FlanneldReport report = await _rig.StatusAsync();
        Assert.False(report.Ready);
        Assert.StartsWith($"cannot write {_rig.SubnetFile}", report.SubnetFile!.Failure, StringComparison.Ordinal);
        Directory.Delete(_rig.SubnetFile);
        await FlanneldRig.EventuallyAsync(() => File.Exists(_rig.SubnetFile), () => string.Join('\n', _rig.Log.Lines));
        Assert.True((await _rig.StatusAsync()).Ready);
        Assert.False(run.IsCompleted);
    }

    [Fact]
    public async Task Another_underlay_address_is_followed_and_published()
    {
        _rig.WriteConfig();
        await _rig.StartReadyAsync();
        Lease before = Assert.Single(await _rig.LeasesAsync());
        _rig.Network.RemoveAddress("192.0.2.1");
        _rig.Network.AddAddress(_rig.Eth0, "192.0.2.77");
        _rig.NotifyNetwork();
        await FlanneldRig.EventuallyAsync(() => _rig.Backend!.Followed is not null, () => string.Join('\n', _rig.Log.Lines));
        Assert.Equal(IPAddress.Parse("192.0.2.77"), _rig.Backend!.Followed!.Address);
        await _rig.Log.WaitForAsync($"lease of {before.Subnet} published anew");
        Lease after = Assert.Single(await _rig.LeasesAsync());
        Assert.Equal((before.Subnet, IPAddress.Parse("192.0.2.77")), (after.Subnet, after.Attributes.PublicIP));
    }

    [Fact]
    public async Task What_the_backend_announces_anew_is_published_and_written()
    {
        _rig.WriteConfig();
        await _rig.StartReadyAsync();
        _rig.Backend!.Announce(8950, "{\"n\":2}");
        await _rig.Log.WaitForAsync("MTU for pods is 8950 from now on");
        await FlanneldRig.EventuallyAsync(() => File.ReadAllText(_rig.SubnetFile).Contains("FLANNEL_MTU=8950\n", StringComparison.Ordinal), () => File.ReadAllText(_rig.SubnetFile));
        await FlanneldRig.EventuallyAsync(() => _rig.LeasesAsync().Result[0].Attributes.BackendData.ToString() == "{\"n\":2}", () => "not published");
    }

    [Fact]
    public async Task All_leases_reach_the_backend()
    {
        _rig.WriteConfig();
        await _rig.StartReadyAsync();
        NetworkConfig network = await _rig.Store.ReadNetworkConfigAsync(TestContext.Current.CancellationToken);
        Lease peer = await _rig.Store.AcquireAsync(new(network, new() { PublicIP = IPAddress.Parse("192.0.2.2"), BackendType = "scripted" }, null), TestContext.Current.CancellationToken);
        await FlanneldRig.EventuallyAsync(() => _rig.Backend!.Applied.Any(lease => lease.Subnet == peer.Subnet), () => "the peer did not arrive");
        Assert.Equal(2, _rig.Backend!.Applied.Count);
        FlanneldReport report = await _rig.StatusAsync();
        Assert.Equal(2, report.LeaseCount);
        Assert.Contains(report.Leases, lease => lease.Subnet == $"{peer.Subnet}" && lease.PublicIp == "192.0.2.2");
    }

    [Fact]
    public async Task A_firewall_that_refuses_does_not_stop_the_daemon()
    {
        _rig.WriteConfig();
        _rig.Firewall.Refusal = "iptables is not installed";
        await _rig.StartReadyAsync("-ip-masq");
        FlanneldReport report = await _rig.StatusAsync();
        Assert.Equal((false, "iptables is not installed"), (report.Firewall!.InPlace, report.Firewall.LastError));
        Assert.True(report.Ready);
    }

    [Fact]
    public async Task The_watchdog_is_fed()
    {
        _rig.WriteConfig();
        _rig.WatchdogInterval = TimeSpan.FromMilliseconds(100);
        await _rig.StartReadyAsync();
        await FlanneldRig.EventuallyAsync(() => _rig.Manager.Heard().Count(state => state == "WATCHDOG=1") >= 3, () => "no sign of life");
    }

    [Fact]
    public async Task A_second_daemon_that_would_fight_the_first_is_refused()
    {
        _rig.WriteConfig();
        Task<int> first = await _rig.StartReadyAsync();
        Assert.Equal(1, await _rig.Start());
        Assert.Contains($"-control-socket: another daemon listens on {_rig.ControlSocket}; stop it or give this one a -control-socket of its own", _rig.Log.Lines);
        Assert.Equal(1, await _rig.Start($"-control-socket={_rig.Files["2.sock"]}", $"-subnet-file={_rig.Files["2.env"]}"));
        Assert.Contains(_rig.Log.Lines, line => line.StartsWith("another flanneld of this host has this host's lease in directory ", StringComparison.Ordinal));
        Assert.False(first.IsCompleted);
        Assert.False(_rig.Backend!.IsDisposed);
    }

    [Fact]
    public async Task Two_daemons_with_stores_of_their_own_get_along_unless_they_want_one_device()
    {
        _rig.WriteConfig("""{"Network":"10.5.0.0/16","Backend":{"Type":"vxlan","VNI":7}}""");
        await _rig.StartReadyAsync();
        string store = _rig.Files["store2"];
        Directory.CreateDirectory(store);
        File.SetUnixFileMode(store, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        string[] second = [$"-store-dir={store}", $"-control-socket={_rig.Files["2.sock"]}", $"-subnet-file={_rig.Files["2.env"]}"];
        await File.WriteAllTextAsync(Path.Combine(store, "config"), """{"Network":"10.6.0.0/16","Backend":{"Type":"vxlan","VNI":7}}""", TestContext.Current.CancellationToken);
        Assert.Equal(1, await _rig.Start(second));
        Assert.Contains("another flanneld of this host has the device flannel.7: stop it, or give the two networks different VNIs", _rig.Log.Lines);
        await File.WriteAllTextAsync(Path.Combine(store, "config"), """{"Network":"10.6.0.0/16","Backend":{"Type":"vxlan","VNI":8}}""", TestContext.Current.CancellationToken);
        Task<int> other = _rig.Start(second);
        await FlanneldRig.EventuallyAsync(() => _rig.Log.Lines.Count(line => line.StartsWith("ready: ", StringComparison.Ordinal)) == 2, () => string.Join('\n', _rig.Log.Lines));
        Assert.False(other.IsCompleted);
    }

    [Fact]
    public async Task Peers_cannot_be_told_to_a_flanneld()
    {
        _rig.WriteConfig();
        await _rig.StartReadyAsync();
        var refused = await Assert.ThrowsAsync<ControlSocketException>(() =>
            ControlClient.SendAsync(_rig.ControlSocket, new() { Command = ControlProtocol.PeerList }, TestContext.Current.CancellationToken));
        Assert.Equal("this daemon is a flanneld, whose peers are the leases of its store: see \"flannelfast status\"", refused.Message);
    }

    private static string FirstOf(Lease lease) => $"{lease.Subnet}".Replace(".0/24", ".1/24", StringComparison.Ordinal);

    private static async Task<HttpStatusCode> ReadinessAsync(HttpClient client, int port)
    {
        using HttpResponseMessage answer = await client.GetAsync($"http://127.0.0.1:{port}/readyz", TestContext.Current.CancellationToken);
        return answer.StatusCode;
    }

    private static int FreePort()
    {
        using var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
