using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using FlannelFast.Control.Tunnels;

namespace FlannelFast.Daemon.Tests.Commands;

/// <summary>A daemon and the commands that talk to it, over a real socket.</summary>
public sealed class DaemonTests : IDisposable
{
    private readonly CommandLineRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Fact]
    public async Task It_runs_until_it_is_told_to_stop()
    {
        Task<int> daemon = await _rig.StartDaemonAsync(CommandLineRig.Tunnel("--peer", "10.5.2.0/24=192.0.2.2"));
        string ready = await _rig.Log.WaitForAsync("ready: ");
        Assert.StartsWith($"ready: device ff0 mtu 1472, udp on 192.0.2.1:8285, subnet 10.5.1.0/24 of 10.5.0.0/16, 1 peer; control socket {_rig.SocketPath}; after ", ready);
        Assert.False(daemon.IsCompleted);

        long start = Stopwatch.GetTimestamp();
        _rig.Signals.RequestStop();
        Assert.Equal(0, await daemon);
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(1));
        Assert.True(_rig.Runtime!.IsDisposed);
        Assert.False(File.Exists(_rig.SocketPath));
    }

    [Fact]
    public async Task When_the_data_path_dies_it_fails()
    {
        Task<int> daemon = await _rig.StartDaemonAsync(CommandLineRig.Tunnel());
        _rig.Runtime!.Die("the TUN device was deleted");
        Assert.Equal(1, await daemon);
        Assert.Contains("the data path died: the TUN device was deleted", _rig.Log.Lines);
        Assert.True(_rig.Runtime.IsDisposed);
    }

    [Fact]
    public async Task When_the_start_fails_one_line_says_why_and_nothing_is_left()
    {
        _rig.Start = (_, _) => throw new HostRequirementException("there is no /dev/net/tun: load the driver");
        (int exitCode, string output, string error) = await _rig.RunAsync(CommandLineRig.Tunnel("--socket", _rig.SocketPath));
        Assert.Equal((1, "", "flannelfast: there is no /dev/net/tun: load the driver\n"), (exitCode, output, error));
        Assert.False(File.Exists(_rig.SocketPath));
    }

    [Fact]
    public async Task A_second_daemon_ends_before_it_touches_anything()
    {
        Task<int> daemon = await _rig.StartDaemonAsync(CommandLineRig.Tunnel());
        (int exitCode, _, string error) = await _rig.RunAsync(CommandLineRig.Tunnel("--socket", _rig.SocketPath));
        Assert.Equal((1, $"flannelfast: --socket: another daemon listens on {_rig.SocketPath}; stop it or give this one a --socket of its own\n"), (exitCode, error));
        Assert.Equal(1, _rig.Starts);
        Assert.False(daemon.IsCompleted);
        Assert.Equal(0, (await Call("status")).ExitCode);
    }

    [Fact]
    public async Task Peers_are_managed_while_it_runs()
    {
        await _rig.StartDaemonAsync(CommandLineRig.Tunnel("--peer", "10.5.2.0/24=192.0.2.2"));
        Assert.Equal((0, "1 added\n", ""), await Call("peer", "add", "10.5.3.0/24=192.0.2.3"));
        Assert.Equal((0, "nothing to change\n", ""), await Call("peer", "add", "10.5.3.0/24=192.0.2.3"));
        Assert.Equal(
            (1, "", "flannelfast: peer 10.5.3.0/24 is there already at 192.0.2.3; add --replace to give it 192.0.2.9\n"),
            await Call("peer", "add", "10.5.3.0/24=192.0.2.9"));
        Assert.Equal((0, "1 added, 1 changed\n", ""), await Call("peer", "add", "--replace", "10.5.3.0/24=192.0.2.9", "10.5.4.0/24=192.0.2.4"));
        Assert.Equal(
            (0, """
                subnet       public ip    out packets  out bytes  in packets  in bytes  send errors
                10.5.2.0/24  192.0.2.2          1,001    1.4 MiB       2,001   2.9 MiB            0
                10.5.3.0/24  192.0.2.9          1,002    2.9 MiB       2,002   5.7 MiB            0
                10.5.4.0/24  192.0.2.4          1,003    4.3 MiB       2,003   8.6 MiB            5

                """, ""),
            await Call("peer", "list"));
        Assert.Equal((0, "2 deleted\n", ""), await Call("peer", "del", "10.5.2.0/24", "10.5.3.0/24"));
        Assert.Equal((1, "", "flannelfast: there is no peer with the subnet 10.5.2.0/24\n"), await Call("peer", "del", "10.5.2.0/24"));
        Assert.Equal(
            (2, "", "flannelfast: peer 10.5.1.0/24=192.0.2.3: expected a subnet that does not overlap this host's 10.5.1.0/24, not \"10.5.1.0/24\"\n"),
            await Call("peer", "add", "10.5.1.0/24=192.0.2.3"));

        (_, string json, _) = await Call("peer", "list", "--json");
        using JsonDocument list = JsonDocument.Parse(json);
        Assert.Equal(1, list.RootElement.GetProperty("schema").GetInt32());
        Assert.Equal("192.0.2.4", list.RootElement.GetProperty("peers")[0].GetProperty("public_ip").GetString());
    }

    [Fact]
    public async Task Status_is_text_or_json()
    {
        await _rig.StartDaemonAsync(CommandLineRig.Tunnel("--peer", "10.5.2.0/24=192.0.2.2"));
        (int exitCode, string text, _) = await Call("status");
        Assert.Equal(0, exitCode);
        Assert.StartsWith($"flannelfast {BuildInfo.Version}, up ", text);
        Assert.DoesNotContain('\e', text);

        (_, string json, _) = await Call("status", "--json");
        using JsonDocument status = JsonDocument.Parse(json);
        JsonElement root = status.RootElement;
        Assert.Equal(1, root.GetProperty("schema").GetInt32());
        Assert.Equal(24, root.GetProperty("ingress").GetProperty("drops").GetProperty("spoof_src").GetInt64());
        Assert.Equal(0, root.GetProperty("allocated_bytes").GetInt64());
        Assert.Equal("10.5.2.0/24", root.GetProperty("peers")[0].GetProperty("subnet").GetString());
    }

    [Theory]
    [InlineData("status")]
    [InlineData("peer", "list")]
    [InlineData("peer", "add", "10.5.2.0/24=192.0.2.2")]
    [InlineData("peer", "del", "10.5.2.0/24")]
    public async Task Without_a_daemon_the_exit_code_is_3(params string[] command)
    {
        (int exitCode, string output, string error) = await Call(command);
        Assert.Equal((3, "", $"flannelfast: no daemon listens on {_rig.SocketPath}; start one with \"flannelfast tunnel\", or name its socket with --socket\n"), (exitCode, output, error));
    }

    [Fact]
    public async Task Hangup_reads_the_peers_again()
    {
        string path = WriteConfig(8285, "10.5.2.0/24=192.0.2.2");
        Task<int> daemon = await _rig.StartDaemonAsync("tunnel", "--config", path);

        WriteConfig(8285, "10.5.2.0/24=192.0.2.9", "10.5.3.0/24=192.0.2.3");
        _rig.Signals.RequestReload();
        await _rig.Log.WaitForAsync($"peers read from {path}: 1 added, 1 changed, 0 removed, 0 unchanged");
        Assert.Equal(["192.0.2.9", "192.0.2.3"], _rig.Runtime!.Peers.Select(p => p.PublicIP.ToString()));

        // One bad peer among good ones: the file is refused whole.
        WriteConfig(8285, "10.5.4.0/24=192.0.2.4", "10.5.1.0/24=192.0.2.5");
        _rig.Signals.RequestReload();
        await _rig.Log.WaitForAsync($"peers not read again, the running ones stay: {path}:4: peers[1].subnet: expected a subnet that does not overlap this host's 10.5.1.0/24, not \"10.5.1.0/24\"");
        Assert.Equal(2, _rig.Runtime.Peers.Count);

        File.Delete(path);
        _rig.Signals.RequestReload();
        await _rig.Log.WaitForAsync("peers not read again, the running ones stay: --config: expected a readable file: Could not find");
        Assert.Equal(2, _rig.Runtime.Peers.Count);

        // Another port needs a restart; the peers do not.
        WriteConfig(9000, "10.5.4.0/24=192.0.2.4");
        _rig.Signals.RequestReload();
        await _rig.Log.WaitForAsync($"{path} describes another tunnel than the running one");
        await _rig.Log.WaitForAsync($"peers read from {path}: 1 added, 0 changed, 2 removed, 0 unchanged");
        Assert.False(daemon.IsCompleted);
    }

    [Fact]
    public async Task The_service_manager_is_kept_informed()
    {
        using Socket manager = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 5000 };
        manager.Bind(new UnixDomainSocketEndPoint(_rig.Files["notify"]));
        Environment.SetEnvironmentVariable("NOTIFY_SOCKET", _rig.Files["notify"]);
        string path = WriteConfig(8285);
        Task<int> daemon = await _rig.StartDaemonAsync("tunnel", "--config", path);
        Assert.StartsWith("READY=1\nSTATUS=device ff0 mtu 1472, udp on 192.0.2.1:8285", Receive());
        Assert.Null(Environment.GetEnvironmentVariable("NOTIFY_SOCKET"));

        _rig.Signals.RequestReload();
        Assert.StartsWith("RELOADING=1\nMONOTONIC_USEC=", Receive());
        Assert.Equal($"READY=1\nSTATUS=0 peers, read from {path}", Receive());
        _rig.Files.Write("ff.json", "{");
        _rig.Signals.RequestReload();
        Assert.StartsWith("RELOADING=1\n", Receive());
        Assert.Equal($"READY=1\nSTATUS=running with the peers from before; {path} was refused", Receive());

        _rig.Signals.RequestStop();
        Assert.Equal("STOPPING=1", Receive());
        Assert.Equal(0, await daemon);

        string Receive()
        {
            byte[] buffer = new byte[512];
            return Encoding.UTF8.GetString(buffer, 0, manager.Receive(buffer));
        }
    }

    [Fact]
    public async Task Hangup_without_a_file_is_only_reported()
    {
        Task<int> daemon = await _rig.StartDaemonAsync(CommandLineRig.Tunnel());
        _rig.Signals.RequestReload();
        await _rig.Log.WaitForAsync("nothing to read again: the tunnel was configured by flags, not by --config");
        Assert.False(daemon.IsCompleted);
    }

    private Task<(int ExitCode, string Out, string Error)> Call(params string[] command) => _rig.RunAsync([.. command, "--socket", _rig.SocketPath]);

    private string WriteConfig(int port, params string[] peers)
    {
        IEnumerable<string> lines = peers.Select(p => p.Split('=')).Select(p => $$"""{"subnet": "{{p[0]}}", "public_ip": "{{p[1]}}"}""");
        return _rig.Files.Write("ff.json", $$"""
            {"device": "ff0", "local": "192.0.2.1", "encap": "udp", "port": {{port}}, "networks": ["10.5.0.0/16"],
            "subnets": ["10.5.1.0/24"], "peers": [
            {{string.Join(",\n", lines)}}]}
            """);
    }
}
