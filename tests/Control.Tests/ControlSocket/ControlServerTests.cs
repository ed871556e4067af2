using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using FlannelFast.Control.ControlSocket;
using FlannelFast.Control.Tunnels;
using FlannelFast.Tests.Fakes;
using Microsoft.Extensions.Logging.Abstractions;

namespace FlannelFast.Control.Tests.ControlSocket;

public sealed class ControlServerTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTunnelRuntime _runtime;
    private readonly ControlServer _server;

    public ControlServerTests()
    {
        TunnelConfig config = FakeTunnelRuntime.Config(peers: [FakeTunnelRuntime.Peer(2)]);
        _runtime = new(config);
        var handler = new ControlHandler(_runtime, new PeerEditor(config, _runtime), new StatusReporter(config, "1.2.3"));
        _server = ControlServer.Start(ControlSocketFile.Listen(SocketPath), handler, NullLogger.Instance);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string SocketPath => _directory["c.sock"];

    public void Dispose()
    {
        _server.Dispose();
        _runtime.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Status_describes_the_tunnel()
    {
        StatusReport report = (await Ask(new() { Command = "status" })).Status!;
        Assert.Equal(("1.2.3", Environment.ProcessId, "ff0", 1), (report.Version, report.Pid, report.Device.Name, report.PeerCount));
        Assert.Equal("10.5.2.0/24", Assert.Single(report.Peers).Subnet);
        report = (await Ask(new() { Command = "status", PeerLimit = 0 })).Status!;
        Assert.Equal(1, report.PeerCount);
        Assert.Empty(report.Peers);
    }

    [Fact]
    public async Task Peers_are_added_listed_and_deleted()
    {
        PeerChange? change = (await Ask(Add("10.5.3.0/24=192.0.2.3"))).Change;
        Assert.Equal(new PeerChange(1, 0, 0, 1), change);
        ControlResponse list = await Ask(new() { Command = "peer_list" });
        Assert.Equal(["10.5.2.0/24", "10.5.3.0/24"], list.Peers!.Select(p => p.Subnet));
        Assert.Equal(2, list.PeerCount);
        change = (await Ask(new() { Command = "peer_del", Subnets = [SettingValue.FromFlag("10.5.2.0/24")] })).Change;
        Assert.Equal(new PeerChange(0, 0, 1, 1), change);
        Assert.Equal("192.0.2.3", Assert.Single(_runtime.Peers).PublicIP.ToString());
    }

    [Theory]
    [InlineData("10.5.1.0/25=192.0.2.3", true, "peer 10.5.1.0/25=192.0.2.3: expected a subnet that does not overlap this host's 10.5.1.0/24, not \"10.5.1.0/25\"")]
    [InlineData("10.5.3.0/24=192.0.2.3,02:ff:c0:00:02:03", true, "peer 10.5.3.0/24=192.0.2.3,02:ff:c0:00:02:03: expected no VtepMAC with the udp encapsulation")]
    [InlineData("10.5.2.0/24=192.0.2.3", false, "peer 10.5.2.0/24 is there already at 192.0.2.2; add --replace to give it 192.0.2.3")]
    public async Task Mistakes_of_the_user_are_told_apart_from_conflicts(string peer, bool isInput, string message)
    {
        var e = await Assert.ThrowsAsync<ControlSocketException>(() => Ask(Add(peer)));
        Assert.Equal((message, isInput), (e.Message, e.IsInvalidInput));
        Assert.Equal(0, _runtime.Replacements);
    }

    [Fact]
    public async Task What_the_engine_refuses_is_the_users_mistake()
    {
        _runtime.RefuseWith = new ArgumentException("more subnets than the table holds");
        var e = await Assert.ThrowsAsync<ControlSocketException>(() => Ask(Add("10.5.3.0/24=192.0.2.3")));
        Assert.Equal(("more subnets than the table holds", true), (e.Message, e.IsInvalidInput));
    }

    [Fact]
    public async Task A_defect_costs_one_answer_and_not_the_daemon()
    {
        _runtime.RefuseWith = new InvalidOperationException("defect");
        var e = await Assert.ThrowsAsync<ControlSocketException>(() => Ask(Add("10.5.3.0/24=192.0.2.3")));
        Assert.Equal("the daemon failed to answer; its log says why", e.Message);
        await StillAnswers();
    }

    [Theory]
    [InlineData("\n", "no request: not valid JSON: The input does not contain any JSON tokens. Expected the input to start with a valid JSON token, when isFinalBlock is true.")]
    [InlineData("null\n", "no request: expected an object, not null")]
    [InlineData("GET / HTTP/1.1\r\n\r\n", "no request: not valid JSON: 'G' is an invalid start of a value.")]
    [InlineData("{\"command\":\"dance\"}\n", "unknown command \"dance\"")]
    [InlineData("{\"command\":\"status\",\"schema\":2}\n", "this daemon speaks schema 1, not 2")]
    [InlineData("{\"command\":\"status\",\"peer_limit\":-1}\n", "peer_limit: expected 0 or more, not -1")]
    [InlineData("{\"command\":\"status\"", "no request: expected one line of JSON; the connection ended within it")]
    public async Task Garbage_is_answered_with_an_error(string request, string message)
    {
        using Socket client = Connect();
        await client.SendAsync(Encoding.UTF8.GetBytes(request), Cancel);
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal((ControlErrorCode.BadRequest, message), await ReadError(client));
    }

    [Fact]
    public async Task Damaged_requests_always_get_one_line_back()
    {
        var random = new Random(7);
        byte[] seed = "{\"schema\":1,\"command\":\"peer_add\",\"peers\":[{\"subnet\":\"10.5.3.0/24\",\"public_ip\":\"192.0.2.3\"}]}"u8.ToArray();
        for (int round = 0; round < 500; round++)
        {
            byte[] damaged = [.. seed];
            for (int i = random.Next(1, 5); i > 0; i--) damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            using Socket client = Connect();
            await client.SendAsync(damaged, Cancel);
            client.Shutdown(SocketShutdown.Send);
            string answer = await ReadAll(client);
            Assert.EndsWith("}\n", answer);
            using JsonDocument json = JsonDocument.Parse(answer);
            Assert.Equal(1, json.RootElement.GetProperty("schema").GetInt32());
        }
        await StillAnswers();
    }

    [Theory]
    [InlineData("{\"command\":\"status\",\"x\":\"", 64 << 10)]
    [InlineData("                        ", 64 << 10)]
    [InlineData("{\"peers\":[{\"subnet\":\"", 64 << 10)] // the command must come before the bulk
    [InlineData("{\"command\":\"peer_add\",\"peers\":[{\"subnet\":\"", 16 << 20)]
    public async Task Requests_are_cut_off_at_their_limit(string beginning, int limit)
    {
        using Socket client = Connect();
        byte[] filling = new byte[64 << 10];
        Array.Fill(filling, (byte)'1');
        await client.SendAsync(Encoding.UTF8.GetBytes(beginning), Cancel);
        long sent = 0;
        try
        {
            while (sent < 4L * limit + (1 << 20)) sent += await client.SendAsync(filling, Cancel);
            Assert.Fail("the daemon took it all");
        }
        catch (SocketException)
        {
            // It closed. The kernel holds some hundred kilobytes more than were read.
            Assert.InRange(sent, 0, limit + (1 << 20));
        }
        Assert.Equal((ControlErrorCode.BadRequest, $"no request: expected at most {limit} bytes in one line"), await ReadError(client));
        await StillAnswers();
    }

    [Fact]
    public async Task Forty_thousand_peers_are_added_by_one_request()
    {
        var request = new ControlRequest { Command = "peer_add", Peers = [.. Many(40_000)] };
        Assert.Equal(40_000, (await Ask(request)).Change!.Added);
        Assert.Equal(40_001, (await Ask(new() { Command = "status" })).Status!.Peers.Count);

        static IEnumerable<PeerSettings> Many(int count)
        {
            for (int i = 0; i < count; i++)
            {
                // All /32 of 10.5.128.0/17, then /31 that hold two of them each.
                int address = i < 0x8000 ? 0x8000 | i : 0x8000 | (i - 0x8000) << 1;
                string subnet = $"10.5.{address >> 8}.{address & 255}/{(i < 0x8000 ? 32 : 31)}";
                yield return PeerSettings.FromArgument("test", $"{subnet}=198.18.{i >> 8 & 255}.{i & 255}");
            }
        }
    }

    [Fact]
    public async Task A_client_that_says_nothing_is_sent_away_after_the_deadline()
    {
        long start = Stopwatch.GetTimestamp();
        using Socket silent = Connect(), slow = Connect();
        Task drip = Task.Run(async () =>
        {
            try
            {
                while (true)
                {
                    await slow.SendAsync("{"u8.ToArray(), Cancel);
                    await Task.Delay(200, Cancel);
                }
            }
            catch (SocketException)
            {
                // Sent away: each byte does not buy another five seconds.
            }
        }, Cancel);
        await StillAnswers();
        Assert.Equal((ControlErrorCode.BadRequest, "no request within 5 seconds"), await ReadError(silent));
        await drip;
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 4.5, 8);
        await StillAnswers();
    }

    [Fact]
    public async Task Two_hundred_clients_at_once_that_hang_up_stall_or_babble_do_no_harm()
    {
        var hanging = new List<Socket>();
        await Parallel.ForAsync(0, 200, Cancel, async (i, cancel) =>
        {
            Socket client = Connect();
            switch (i % 4)
            {
                case 0:
                    client.Dispose();
                    break;
                case 1:
                    await client.SendAsync("{\"command\":\"sta"u8.ToArray(), cancel);
                    client.Dispose();
                    break;
                case 2:
                    await client.SendAsync("{\"command\":\"status\"}\n"u8.ToArray(), cancel);
                    client.Dispose(); // without fetching the answer
                    break;
                default:
                    lock (hanging) hanging.Add(client);
                    break;
            }
        });
        long start = Stopwatch.GetTimestamp();
        await StillAnswers();
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(2));
        foreach (Socket client in hanging) client.Dispose();
        Assert.True(SpinWait.SpinUntil(() => _server.Connections == 0, TimeSpan.FromSeconds(10)), $"{_server.Connections} connections are left");
    }

    [Fact]
    public async Task Two_hundred_good_clients_at_once_all_get_an_answer()
    {
        Task<ControlResponse>[] all = [.. Enumerable.Range(0, 200).Select(_ => Task.Run(() => Ask(new() { Command = "status" }), Cancel))];
        foreach (ControlResponse response in await Task.WhenAll(all)) Assert.Equal("ff0", response.Status!.Device.Name);
    }

    [Fact]
    public async Task Beyond_the_limit_of_connections_clients_are_told_to_come_again()
    {
        Socket[] hanging = [.. Enumerable.Range(0, ControlProtocol.MaxConnections).Select(_ => Connect())];
        Assert.True(SpinWait.SpinUntil(() => _server.Connections == ControlProtocol.MaxConnections, TimeSpan.FromSeconds(4)));
        var e = await Assert.ThrowsAsync<ControlSocketException>(() => Ask(new() { Command = "status" }));
        Assert.Equal("too many connections at once; try again", e.Message);
        foreach (Socket client in hanging) client.Dispose();
        Assert.True(SpinWait.SpinUntil(() => _server.Connections == 0, TimeSpan.FromSeconds(10)));
        await StillAnswers();
    }

    [Fact]
    public async Task Stopping_takes_less_than_a_second_with_clients_attached()
    {
        using Socket client = Connect();
        Assert.True(SpinWait.SpinUntil(() => _server.Connections == 1, TimeSpan.FromSeconds(2)));
        long start = Stopwatch.GetTimestamp();
        _server.Dispose();
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalMilliseconds, 0, 900);
        var e = await Assert.ThrowsAsync<ControlSocketException>(() => Ask(new() { Command = "status" }));
        Assert.True(e.IsNotRunning);
    }

    [Theory]
    [InlineData(0, 1000, true)]
    [InlineData(1000, 1000, true)]
    [InlineData(1001, 1000, false)]
    [InlineData(1000, 0, false)]
    [InlineData(0, 0, true)]
    public void Only_root_and_the_daemons_user_may_control(uint client, uint daemon, bool allowed) =>
        Assert.Equal(allowed, PeerCredentials.IsAllowed(client, daemon));

    [Fact]
    public void Another_user_is_denied_even_if_the_file_lets_him_in()
    {
        Assert.SkipUnless(Environment.UserName == "root", "only root can become another user");
        File.SetUnixFileMode(SocketPath, (UnixFileMode)0b110_110_110);
        File.SetUnixFileMode(Path.GetDirectoryName(SocketPath)!, (UnixFileMode)0b111_101_101);
        const string program = """
            import os, socket, sys
            os.setresuid(65534, 65534, 65534)
            s = socket.socket(socket.AF_UNIX)
            s.connect(sys.argv[1])
            try: s.sendall(b'{"command":"peer_del","subnets":["10.5.2.0/24"]}\n')
            except BrokenPipeError: pass # denied before it was heard
            print(s.makefile().read(), end='')
            """;
        using Process python = Process.Start(new ProcessStartInfo("python3", ["-c", program, SocketPath]) { RedirectStandardOutput = true })!;
        string answer = python.StandardOutput.ReadToEnd();
        python.WaitForExit();
        Assert.Equal("{\"schema\":1,\"error\":{\"code\":\"denied\",\"message\":\"only root and the user of the daemon may control it\"}}\n", answer);
        Assert.Single(_runtime.Peers);
    }

    [Fact]
    public async Task Without_a_daemon_the_client_says_so()
    {
        var e = await Assert.ThrowsAsync<ControlSocketException>(() => ControlClient.SendAsync(_directory["none"], new() { Command = "status" }, Cancel));
        Assert.True(e.IsNotRunning);
        Assert.Equal($"no daemon listens on {_directory["none"]}; start one with \"flannelfast tunnel\", or name its socket with --socket", e.Message);
    }

    [Theory]
    [InlineData("{\"schema\":2}\n", "speaks schema 2, this program 1; use the program of the daemon's version")]
    [InlineData("", "gave no proper answer: it closed the connection")]
    [InlineData("HTTP/1.1 400 Bad Request\n", "gave no proper answer: 'H' is an invalid start of a value.")]
    public async Task A_stranger_on_the_socket_is_no_daemon(string answer, string expected)
    {
        using Socket stranger = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        stranger.Bind(new UnixDomainSocketEndPoint(_directory["s"]));
        stranger.Listen();
        Task<ControlSocketException> call = Assert.ThrowsAsync<ControlSocketException>(() => ControlClient.SendAsync(_directory["s"], new() { Command = "status" }, Cancel));
        using (Socket connection = await stranger.AcceptAsync(Cancel))
        {
            await connection.ReceiveAsync(new byte[4096], Cancel);
            await connection.SendAsync(Encoding.UTF8.GetBytes(answer), Cancel);
        }
        Assert.Contains(expected, (await call).Message);
    }

    private static ControlRequest Add(string peer) => new() { Command = "peer_add", Peers = [PeerSettings.FromArgument("test", peer)] };

    private static async Task<(string Code, string Message)> ReadError(Socket client)
    {
        using JsonDocument json = JsonDocument.Parse(await ReadAll(client));
        JsonElement error = json.RootElement.GetProperty("error");
        return (error.GetProperty("code").GetString()!, error.GetProperty("message").GetString()!);
    }

    private static async Task<string> ReadAll(Socket client)
    {
        var text = new StringBuilder();
        byte[] buffer = new byte[65536];
        try
        {
            for (int got; (got = await client.ReceiveAsync(buffer, Cancel)) > 0;) text.Append(Encoding.UTF8.GetString(buffer, 0, got));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            // After the answer: the daemon closed with unread bytes of ours.
        }
        return text.ToString();
    }

    private Task<ControlResponse> Ask(ControlRequest request) => ControlClient.SendAsync(SocketPath, request, Cancel);

    private async Task StillAnswers() => Assert.Equal("ff0", (await Ask(new() { Command = "status" })).Status!.Device.Name);

    private Socket Connect()
    {
        Socket client = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        client.Connect(new UnixDomainSocketEndPoint(SocketPath));
        return client;
    }
}
