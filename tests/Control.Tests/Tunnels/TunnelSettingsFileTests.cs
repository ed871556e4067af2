using System.Net;
using System.Text;
using FlannelFast.Control.Tunnels;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Express;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Tunnels;

public sealed class TunnelSettingsFileTests : IDisposable
{
    private const string Udp = """
        {
          "device": "ff0",
          "local": "192.0.2.1",
          "networks": ["10.5.0.0/16"],
          "subnets": ["10.5.1.0/24"],
          "encap": "udp",

        """;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Every_field_reaches_the_configuration()
    {
        TunnelConfig config = Load("""
            // Comments and trailing commas are fine.
            {
              "device": "blue0", "local": "2001:db8::1", "encap": "vxlan",
              "networks": ["fd00:5::/48", "10.5.0.0/16"], "subnets": ["10.5.1.0/24", "fd00:5:0:1::/64"],
              "port": 4789, "vni": 0, "mac": "0e:00:00:00:00:01", "mtu": 1400, "queues": 4, "source_ports": 3,
              "source_check": "peer", "ignore_reserved_bits": true, "no_source_port_check": false,
              "tun_offloads": true, "udp_segment": false, "udp_gro": false, "coalesce": false,
              "pause": 0, "real_time": false, "express_lane": "on", "socket_buffer": 65536,
              "peers": [
                {"subnet": "10.5.2.0/24", "public_ip": "2001:db8::2", "vtep_mac": "0e:00:00:00:00:02"},
                {"subnet": "fd00:5:0:2::/64", "public_ip": "2001:db8::2", "vtep_mac": "0e:00:00:00:00:02"}, /* nested */
              ],
            }
            """);
        Assert.Equal("blue0", config.Device);
        Assert.Equal(1400, config.Mtu);
        Assert.Equal(["fd00:5::/48", "10.5.0.0/16"], config.Networks.Select(n => n.ToString()));
        Assert.Equal(["fd00:5:0:1::/64", "10.5.1.0/24"], config.Subnets.Select(n => n.ToString()));
        Assert.Equal(["fd00:5:0:1::/128", "10.5.1.0/32"], config.DeviceAddresses.Select(n => n.ToString()));
        Assert.Equal(70, config.Overhead);
        Assert.Equal(["10.5.2.0/24", "fd00:5:0:2::/64"], config.Peers.Select(p => p.Subnet.ToString()));
        Assert.Equal("0e:00:00:00:00:02", config.Peers[0].VtepMac.ToString());
        EngineOptions engine = config.Engine;
        Assert.Equal(
            new EngineOptions
            {
                Encapsulation = EncapsulationKind.Vxlan,
                Local = IPAddress.Parse("2001:db8::1"),
                Port = 4789,
                Vni = 0,
                Mac = new(0x0e0000000001),
                SourceCheck = SourceCheck.Peer,
                CheckSourcePort = true,
                IgnoreReservedBits = true,
                Queues = 4,
                SourcePorts = 3,
                SocketBuffer = 65536,
                UdpSegment = false,
                UdpGro = false,
                TunOffloads = true,
                Coalesce = false,
                PauseMicroseconds = 0,
                RealTime = false,
                ExpressLane = ExpressLaneMode.On,
            },
            engine);
    }

    [Theory]
    [InlineData("udp", "192.0.2.1", 8285, 28)]
    [InlineData("udp", "2001:db8::1", 8285, 48)]
    [InlineData("vxlan", "192.0.2.1", 8472, 50)]
    [InlineData("vxlan", "2001:db8::1", 8472, 70)]
    public void Defaults_are_those_of_the_engine(string encap, string local, int port, int overhead)
    {
        TunnelConfig config = Load(
            $$"""{"device": "ff0", "local": "{{local}}", "networks": ["10.5.0.0/16"], "subnets": ["10.5.1.0/24"], "encap": "{{encap}}"}""");
        bool vxlan = encap == "vxlan";
        var expected = new EngineOptions
        {
            Encapsulation = vxlan ? EncapsulationKind.Vxlan : EncapsulationKind.Udp,
            Local = IPAddress.Parse(local),
            Port = port,
            Mac = vxlan ? VtepMac.Derive(IPAddress.Parse(local)) : default,
        };
        Assert.Equal(expected, config.Engine);
        Assert.Equal((0, overhead), (config.Mtu, config.Overhead));
        Assert.Empty(config.Peers);
    }

    [Theory]
    [InlineData("", "FILE:1: not valid JSON: The input does not contain any JSON tokens. Expected the input to start with a valid JSON token, when isFinalBlock is true.")]
    [InlineData("null", "FILE: expected a JSON object, not null")]
    [InlineData("[]", "FILE:1: expected an object in braces")]
    [InlineData("{} x", "FILE:1: not valid JSON: 'x' is invalid after a single JSON value. Expected end of data.")]
    [InlineData("{\n\"port\" 1}", "FILE:2: not valid JSON: '1' is invalid after a property name. Expected a ':'.")]
    [InlineData("{\n\n\"prot\": 1}", "FILE:3: prot: no such field; expected one of device, local, networks, subnets, encap, port, vni, mac, mtu, queues, source_ports, peers, source_check, no_source_port_check, ignore_reserved_bits, tun_offloads, udp_segment, udp_gro, coalesce, pause, real_time, express_lane, socket_buffer")]
    [InlineData("{\"Port\": 1}", "FILE:1: Port: no such field; expected one of device, local, networks, subnets, encap, port, vni, mac, mtu, queues, source_ports, peers, source_check, no_source_port_check, ignore_reserved_bits, tun_offloads, udp_segment, udp_gro, coalesce, pause, real_time, express_lane, socket_buffer")]
    [InlineData("{\n\"port\": 1,\n\"port\": 1}", "FILE:3: port: given twice; expected it once")]
    [InlineData("{\"port\": null}", "FILE:1: port: expected a value, not null; leave the field out to get its default")]
    [InlineData("{\"port\": [1]}", "FILE:1: port: expected a single value, not an array")]
    [InlineData("{\"port\": {}}", "FILE:1: port: expected a single value, not an object")]
    [InlineData("{\"port\": 123456789012345678901234567890123}", "FILE:1: port: expected a shorter number")]
    [InlineData("{\"device\": \"\\ud800\"}", "FILE:1: device: expected text in UTF-8")]
    [InlineData("{\"networks\": \"10.5.0.0/16\"}", "FILE:1: networks: expected an array")]
    [InlineData("{\"networks\": null}", "FILE:1: networks: expected an array, not null")]
    [InlineData("{\"networks\": [null]}", "FILE:1: networks[0]: expected a value, not null; leave the field out to get its default")]
    [InlineData("{\"peers\": {}}", "FILE:1: peers: expected an array")]
    [InlineData("{\"peers\": [\n\"10.5.2.0/24\"]}", "FILE:2: peers[0]: expected an object in braces")]
    [InlineData("{\"peers\": [{\"subnet\":\"\", \"ip\":\"\"}]}", "FILE:1: peers[0].ip: no such field; expected one of subnet, public_ip, vtep_mac")]
    [InlineData("{\"peers\": [{\"subnet\":\"\", \"subnet\":\"\"}]}", "FILE:1: peers[0].subnet: given twice; expected it once")]
    public void Files_of_the_wrong_shape_are_refused_with_their_line(string json, string expected) => Refused(json, expected);

    [Theory]
    [InlineData("{}", "FILE: device is missing: expected the name of the TUN device, for example ff0")]
    [InlineData("{\"device\": \"ff0\"}", "FILE: local is missing: expected this host's underlay address, for example 192.0.2.1")]
    [InlineData(Udp + "\"port\": \"8285\"}", "FILE:7: port: expected a whole number from 1 to 65535, not \"8285\"")]
    [InlineData(Udp + "\n\n\"port\": 1.5}", "FILE:9: port: expected a whole number from 1 to 65535, not 1.5")]
    [InlineData(Udp + "\"port\": 1e3}", "FILE:7: port: expected a whole number from 1 to 65535, not 1e3")]
    [InlineData(Udp + "\"queues\": true}", "FILE:7: queues: expected a whole number from 1 to 64, not true")]
    [InlineData(Udp + "\"udp_gro\": \"on\"}", "FILE:7: udp_gro: expected true or false, not \"on\"")]
    [InlineData(Udp + "\"source_check\": 1}", "FILE:7: source_check: expected strict or peer or off, not 1")]
    [InlineData(Udp + "\"express_lane\": true}", "FILE:7: express_lane: expected auto or on or off, not true")]
    [InlineData(Udp + "\"express_lane\": \"tcp\"}", "FILE:7: express_lane: expected auto or on or off, not \"tcp\"")]
    [InlineData(Udp + "\"vni\": 2}", "FILE:7: vni: has a meaning only with encap vxlan")]
    [InlineData(Udp + "\"source_ports\": 8}", "FILE:7: source_ports: has a meaning only with encap vxlan")]
    [InlineData(Udp + "\"tun_offloads\": false, \"coalesce\": true}", "FILE:7: coalesce: needs tun_offloads, which is off")]
    [InlineData(Udp + "\"peers\": [null]}", "FILE: peers[0]: expected an object, not null")]
    [InlineData(Udp + "\"peers\": [{}]}", "FILE: peers[0].subnet: subnet is missing: expected the peer's pod subnet, for example 10.5.2.0/24")]
    [InlineData(Udp + "\"peers\": [\n{\"subnet\": \"10.5.2.0/24\"}]}", "FILE:8: peers[0].public_ip: public_ip is missing: expected the peer's underlay address, for example 192.0.2.2")]
    [InlineData(Udp + "\"peers\": [\n{\"subnet\": \"10.5.2.0/24\", \"public_ip\": \"192.0.2.2\"},\n{\"subnet\": \"10.5.2.0/24\", \"public_ip\": \"192.0.2.3\"}]}", "FILE:9: peers[1].subnet: 10.5.2.0/24 is given twice; expected each subnet once")]
    [InlineData(Udp + "\"peers\": [{\"subnet\": \"10.5.2.0/24\",\n\"public_ip\": 5}]}", "FILE:8: peers[0].public_ip: expected a unicast underlay address, for example 192.0.2.2, not 5")]
    public void Wrong_values_are_refused_with_their_line(string json, string expected) => Refused(json, expected);

    [Fact]
    public void Foreign_text_cannot_write_to_the_terminal()
    {
        string message = Refusal("{\"device\": \"a\\u001b[2J\\r\\nroot\"}");
        Assert.DoesNotContain('\e', message);
        Assert.DoesNotContain('\n', message);
        Assert.EndsWith("not \"a\\u001b[2J\\u000d\\u000aroot\"", message);
        Assert.InRange(Refusal($$"""{"device": "{{new string('x', 100_000)}}"}""").Length, 1, 400);
        Assert.DoesNotContain('\e', Refusal("{\"a\\u001b[2J\": 1}"));
    }

    [Fact]
    public void A_byte_order_mark_is_no_error()
    {
        File.WriteAllText(_directory["bom.json"], Udp + "}", new UTF8Encoding(encoderShouldEmitUTF8Identifier: true));
        Assert.Equal("ff0", TunnelSettingsFile.Load(_directory["bom.json"]).Device);
    }

    [Fact]
    public void Files_that_cannot_be_read_are_refused()
    {
        Assert.StartsWith("--config: expected a readable file: Could not find", LoadError(_directory["none.json"]));
        Directory.CreateDirectory(_directory["dir"]);
        Assert.Equal($"--config: expected a file, but {_directory["dir"]} is a directory", LoadError(_directory["dir"]));
        Assert.StartsWith("--config: expected a readable file", LoadError(""));
        Assert.StartsWith("--config: expected a readable file", LoadError("a\0b"));
    }

    [Fact]
    public void Endless_and_oversized_files_are_refused_without_being_read_whole()
    {
        Assert.Equal("/dev/zero: expected at most 16 MiB of JSON; the file is larger", LoadError("/dev/zero"));
        using (FileStream file = File.Create(_directory["big.json"])) file.SetLength(TunnelSettingsFile.MaxSize + 1L);
        Assert.EndsWith("expected at most 16 MiB of JSON; the file is larger", LoadError(_directory["big.json"]));
    }

    [Fact]
    public void Deep_nesting_is_refused() =>
        Assert.Contains("FILE:1: ", Refusal(new string('[', 1_000_000)).Replace(_directory["ff.json"], "FILE"));

    [Fact]
    public void Damaged_files_end_in_one_line_or_a_configuration()
    {
        byte[] seed = Encoding.UTF8.GetBytes(Udp + """
            "port": 8285, "udp_gro": true, "peers": [{"subnet": "10.5.2.0/24", "public_ip": "192.0.2.2"}, {"subnet": "10.5.3.0/24", "public_ip": "192.0.2.3"}]}
            """);
        var random = new Random(20250117);
        int refused = 0, accepted = 0;
        for (int round = 0; round < 20_000; round++)
        {
            byte[] damaged = [.. seed];
            for (int i = random.Next(1, 4); i > 0; i--) damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            if (round % 3 == 0) damaged = damaged[..random.Next(damaged.Length)];
            try
            {
                TunnelSettings settings = TunnelSettingsFile.Parse("FILE", damaged);
                TunnelValidator.Validate(settings, new FileOrigin("FILE", damaged));
                accepted++;
            }
            catch (InvalidInputException e)
            {
                Assert.DoesNotContain(e.Message, char.IsControl);
                Assert.StartsWith("FILE", e.Message);
                refused++;
            }
        }
        Assert.True(refused > 10_000 && accepted > 50, $"{refused} refused, {accepted} accepted");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_hundred_thousand_peers_load_in_less_than_a_second(bool vxlan)
    {
        var json = new StringBuilder("""{"device": "ff0", "local": "192.0.2.1", "networks": ["10.0.0.0/8"], "subnets": ["10.255.255.0/24"], """);
        json.Append(vxlan ? "\"encap\": \"vxlan\", \"peers\": [\n" : "\"encap\": \"udp\", \"peers\": [\n");
        for (int i = 0; i < 100_000; i++)
        {
            string mac = vxlan ? $", \"vtep_mac\": \"02:00:00:{i >> 16:x2}:{i >> 8 & 255:x2}:{i & 255:x2}\"" : "";
            json.Append($"{{\"subnet\": \"10.{i >> 12}.{i >> 4 & 255}.{(i & 15) << 4}/28\", \"public_ip\": \"198.{18 + (i >> 16)}.{i >> 8 & 255}.{i & 255}\"{mac}}},\n");
        }
        string path = _directory.Write("many.json", json.Append("]}").ToString());
        Load(Udp + "}"); // Compiling the reader once is not part of loading.

        TimeSpan start = ThreadTime();
        TunnelConfig config = TunnelSettingsFile.Load(path);
        TimeSpan elapsed = ThreadTime() - start;
        Assert.Equal(100_000, config.Peers.Count);
        Assert.Equal(100_000, config.Peers.Select(p => p.PublicIP).Distinct().Count());
        Assert.True(elapsed < TimeSpan.FromSeconds(1), $"it took {elapsed.TotalMilliseconds:0} ms");

        // Time on the processor, not on the clock: loading stays on this thread, and the machine is shared with other tests.
        static TimeSpan ThreadTime() =>
            TimeSpan.FromMicroseconds(long.Parse(File.ReadAllText("/proc/thread-self/schedstat").Split(' ')[0]) / 1000.0);
    }

    [Fact]
    public void Peers_are_read_again_for_the_running_tunnel()
    {
        string path = _directory.Write("ff.json", Udp + "\"peers\": [{\"subnet\": \"10.5.2.0/24\", \"public_ip\": \"192.0.2.2\"}]}");
        TunnelConfig running = TunnelSettingsFile.Load(path);
        (IReadOnlyList<Dataplane.Peers.Peer> peers, bool same) = TunnelSettingsFile.LoadPeers(path, running);
        Assert.True(same);
        Assert.Equal(running.Peers, peers);

        // The file moved to another port: its peers still fit the running tunnel.
        _directory.Write("ff.json", Udp + "\"port\": 9000, \"peers\": [{\"subnet\": \"10.5.3.0/24\", \"public_ip\": \"192.0.2.3\"}]}");
        (peers, same) = TunnelSettingsFile.LoadPeers(path, running);
        Assert.False(same);
        Assert.Equal("10.5.3.0/24", Assert.Single(peers).Subnet.ToString());

        // The file moved to another network: its peers do not fit.
        _directory.Write("ff.json", Udp.Replace("10.5.", "10.6.") + "\"peers\": [{\"subnet\": \"10.6.3.0/24\", \"public_ip\": \"192.0.2.3\"}]}");
        var e = Assert.Throws<InvalidInputException>(() => TunnelSettingsFile.LoadPeers(path, running));
        Assert.EndsWith("peers[0].subnet: expected a part of 10.5.0.0/16, which is all that is routed into the tunnel, not \"10.6.3.0/24\"", e.Message);
    }

    private static string LoadError(string path) => Assert.Throws<InvalidInputException>(() => TunnelSettingsFile.Load(path)).Message;

    private TunnelConfig Load(string json) => TunnelSettingsFile.Load(_directory.Write("ff.json", json));

    private string Refusal(string json) => LoadError(_directory.Write("ff.json", json));

    private void Refused(string json, string expected) => Assert.Equal(expected, Refusal(json).Replace(_directory["ff.json"], "FILE"));
}
