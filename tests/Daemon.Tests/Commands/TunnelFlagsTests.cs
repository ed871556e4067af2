namespace FlannelFast.Daemon.Tests.Commands;

public sealed class TunnelFlagsTests : IDisposable
{
    private const string Vxlan = "--encap=vxlan";

    private readonly CommandLineRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Theory]
    [InlineData("", "ok: device ff0 mtu of the underlay less 28, udp on 192.0.2.1:8285, subnet 10.5.1.0/24 of 10.5.0.0/16, 0 peers")]
    [InlineData("--port 1", "ok: device ff0 mtu of the underlay less 28, udp on 192.0.2.1:1, subnet 10.5.1.0/24 of 10.5.0.0/16, 0 peers")]
    [InlineData("--mtu 576 --peer 10.5.2.0/24=192.0.2.2", "ok: device ff0 mtu 576, udp on 192.0.2.1:8285, subnet 10.5.1.0/24 of 10.5.0.0/16, 1 peer")]
    [InlineData("--local fd00::1 --peer 10.5.2.0/24=fd00::2 --peer 10.5.3.0/24=fd00::2", "ok: device ff0 mtu of the underlay less 48, udp on [fd00::1]:8285, subnet 10.5.1.0/24 of 10.5.0.0/16, 2 peers")]
    [InlineData("--encap vxlan", "ok: device ff0 mtu of the underlay less 50, vxlan 1 on 192.0.2.1:8472 with VtepMAC 02:ff:c0:00:02:01, subnet 10.5.1.0/24 of 10.5.0.0/16, 0 peers")]
    [InlineData("--encap vxlan --network fd05::/48 --subnet fd05:0:0:1::/64 --mac 0e:00:00:00:00:01 --vni 0", "ok: device ff0 mtu of the underlay less 50, vxlan 0 on 192.0.2.1:8472 with VtepMAC 0e:00:00:00:00:01, subnet 10.5.1.0/24 of 10.5.0.0/16 and fd05:0:0:1::/64 of fd05::/48, 0 peers")]
    [InlineData("--tun-offloads off --pause 0 --queues 64 --source-check off --no-source-port-check --udp-gro=off --socket-buffer 65536", "ok: device ff0 mtu of the underlay less 28, udp on 192.0.2.1:8285, subnet 10.5.1.0/24 of 10.5.0.0/16, 0 peers")]
    // A peer with a longer prefix inside another peer's subnet is no conflict.
    [InlineData("--peer 10.5.128.0/17=192.0.2.2 --peer 10.5.200.0/24=192.0.2.3", "ok: device ff0 mtu of the underlay less 28, udp on 192.0.2.1:8285, subnet 10.5.1.0/24 of 10.5.0.0/16, 2 peers")]
    public async Task Good_flags_pass_the_check(string flags, string summary)
    {
        (int exitCode, string output, string error) = await _rig.RunAsync(Line($"{flags} --check"));
        Assert.Equal((0, summary + "\n", ""), (exitCode, output, error));
        Assert.Equal(0, _rig.Starts);
    }

    [Theory]
    // Every flag by itself.
    [InlineData("--device this-name-is-too-long", "--device: expected an interface name of 1 to 15 letters, digits or signs without space, '/', ':' and '%', not \"this-name-is-too-long\"")]
    [InlineData("--device a/b", "--device: expected an interface name of 1 to 15 letters, digits or signs without space, '/', ':' and '%', not \"a/b\"")]
    [InlineData("--device ff%d", "--device: expected an interface name of 1 to 15 letters, digits or signs without space, '/', ':' and '%', not \"ff%d\"")]
    [InlineData("--device ..", "--device: expected an interface name of 1 to 15 letters, digits or signs without space, '/', ':' and '%', not \"..\"")]
    [InlineData("--device=", "--device: expected a value; see \"flannelfast tunnel --help\"")]
    [InlineData("--local 224.0.0.1", "--local: expected a unicast IPv4 or IPv6 address, for example 192.0.2.1, not \"224.0.0.1\"")]
    [InlineData("--local 0.0.0.0", "--local: expected a unicast IPv4 or IPv6 address, for example 192.0.2.1, not \"0.0.0.0\"")]
    [InlineData("--local 255.255.255.255", "--local: expected a unicast IPv4 or IPv6 address, for example 192.0.2.1, not \"255.255.255.255\"")]
    [InlineData("--local fe80::1", "--local: expected a unicast IPv4 or IPv6 address, for example 192.0.2.1, not \"fe80::1\"")]
    [InlineData("--local ff02::1", "--local: expected a unicast IPv4 or IPv6 address, for example 192.0.2.1, not \"ff02::1\"")]
    [InlineData("--local eth0", "--local: expected a unicast IPv4 or IPv6 address, for example 192.0.2.1, not \"eth0\"")]
    [InlineData("--encap gre", "--encap: expected udp or vxlan, not \"gre\"")]
    [InlineData("--network 10.5.0.0", "--network: expected a network in the form address/length, for example 10.5.0.0/16, not \"10.5.0.0\"")]
    [InlineData("--network 10.5.1.0/16", "--network: \"10.5.1.0/16\" has bits set behind the prefix; expected 10.5.0.0/16")]
    [InlineData("--network 0.0.0.0/0", "--network: expected a network without loopback, link-local, multicast and reserved addresses, not \"0.0.0.0/0\"")]
    [InlineData("--network 224.0.0.0/8", "--network: expected a network without loopback, link-local, multicast and reserved addresses, not \"224.0.0.0/8\"")]
    [InlineData("--network 127.5.0.0/16", "--network: expected a network without loopback, link-local, multicast and reserved addresses, not \"127.5.0.0/16\"")]
    [InlineData("--subnet 10.5.1.9/24", "--subnet: \"10.5.1.9/24\" has bits set behind the prefix; expected 10.5.1.0/24")]
    [InlineData("--subnet 10.6.1.0/24", "--subnet: expected a part of 10.5.0.0/16, not \"10.6.1.0/24\"")]
    [InlineData("--subnet 10.0.0.0/8", "--subnet: expected a part of 10.5.0.0/16, not \"10.0.0.0/8\"")]
    [InlineData("--port 0", "--port: expected a whole number from 1 to 65535, not \"0\"")]
    [InlineData("--port 65536", "--port: expected a whole number from 1 to 65535, not \"65536\"")]
    [InlineData("--port -1", "--port: expected a whole number from 1 to 65535, not \"-1\"")]
    [InlineData("--port 99999999999999999999", "--port: expected a whole number from 1 to 65535, not \"99999999999999999999\"")]
    [InlineData("--port 0x50", "--port: expected a whole number from 1 to 65535, not \"0x50\"")]
    [InlineData("--port 1,000", "--port: expected a whole number from 1 to 65535, not \"1,000\"")]
    [InlineData("--encap vxlan --vni 16777216", "--vni: expected a whole number from 0 to 16777215, not \"16777216\"")]
    [InlineData("--encap vxlan --mac 01:00:5e:00:00:01", "--mac: expected a unicast Ethernet address, for example 02:ff:c0:00:02:01, not \"01:00:5e:00:00:01\"")]
    [InlineData("--encap vxlan --mac 00:00:00:00:00:00", "--mac: expected a unicast Ethernet address, for example 02:ff:c0:00:02:01, not \"00:00:00:00:00:00\"")]
    [InlineData("--encap vxlan --mac 02:ff", "--mac: expected a unicast Ethernet address, for example 02:ff:c0:00:02:01, not \"02:ff\"")]
    [InlineData("--mtu 575", "--mtu: expected 0 or 576 to 65535, not \"575\"")]
    [InlineData("--mtu 65536", "--mtu: expected a whole number from 0 to 65535, not \"65536\"")]
    [InlineData("--encap vxlan --network fd05::/48 --subnet fd05:0:0:1::/64 --mtu 1279", "--mtu: expected 0 or 1280 to 65535 because the tunnel carries IPv6, not \"1279\"")]
    [InlineData("--queues 0", "--queues: expected a whole number from 1 to 64, not \"0\"")]
    [InlineData(Vxlan + " --source-ports 0", "--source-ports: expected a whole number from 1 to 32, not \"0\"")]
    [InlineData(Vxlan + " --source-ports 33", "--source-ports: expected a whole number from 1 to 32, not \"33\"")]
    [InlineData("--queues 65", "--queues: expected a whole number from 1 to 64, not \"65\"")]
    [InlineData("--express-lane yes", "--express-lane: expected auto or on or off, not \"yes\"")]
    [InlineData("--pause 1001", "--pause: expected a whole number from 0 to 1000, not \"1001\"")]
    [InlineData("--socket-buffer 1", "--socket-buffer: expected a whole number from 65536 to 1073741823, not \"1\"")]
    [InlineData("--source-check loose", "--source-check: expected strict or peer or off, not \"loose\"")]
    [InlineData("--udp-gro yes", "--udp-gro: expected on or off, not \"yes\"")]
    [InlineData("--log-level loud", "--log-level: expected debug or info or warning or error, not \"loud\"")]
    // Flags against each other.
    [InlineData("--vni 2", "--vni: has a meaning only with --encap vxlan")]
    [InlineData("--mac 02:00:00:00:00:01", "--mac: has a meaning only with --encap vxlan")]
    [InlineData("--source-ports 8", "--source-ports: has a meaning only with --encap vxlan")]
    [InlineData("--ignore-reserved-bits", "--ignore-reserved-bits: has a meaning only with --encap vxlan")]
    [InlineData(Vxlan + " --no-source-port-check", "--no-source-port-check: has a meaning only with --encap udp")]
    [InlineData("--tun-offloads off --coalesce on", "--coalesce: needs --tun-offloads, which is off")]
    [InlineData("--network fd05::/48", "--network: expected an IPv4 network: --encap udp carries no IPv6, vxlan does, not \"fd05::/48\"")]
    [InlineData("--subnet fd05::/64", "--subnet: expected an IPv4 network: --encap udp carries no IPv6, vxlan does, not \"fd05::/64\"")]
    [InlineData(Vxlan + " --network fd05::/48", "--network: fd05::/48 needs an IPv6 --subnet of this host")]
    [InlineData(Vxlan + " --subnet fd05::/64", "--subnet: expected a part of 10.5.0.0/16, not \"fd05::/64\"")]
    [InlineData("--network 10.5.0.0/16 --network 10.6.0.0/16", "--network: expected one network per family, but 10.5.0.0/16 and 10.6.0.0/16 are both IPv4")]
    [InlineData("--local 10.5.1.1", "--subnet: expected a network without --local 10.5.1.1, which belongs to the underlay, not \"10.5.1.0/24\"")]
    // Peers.
    [InlineData("--peer 10.5.2.0/24", "--peer: expected SUBNET=IP or SUBNET=IP,MAC, for example 10.5.2.0/24=192.0.2.2, not \"10.5.2.0/24\"")]
    [InlineData("--peer 10.5.2.0/24=", "--peer: expected SUBNET=IP or SUBNET=IP,MAC, for example 10.5.2.0/24=192.0.2.2, not \"10.5.2.0/24=\"")]
    [InlineData("--peer 10.5.2.0/24=192.0.2.2,", "--peer: expected SUBNET=IP or SUBNET=IP,MAC, for example 10.5.2.0/24=192.0.2.2, not \"10.5.2.0/24=192.0.2.2,\"")]
    [InlineData("--peer a=b=c", "--peer: expected SUBNET=IP or SUBNET=IP,MAC, for example 10.5.2.0/24=192.0.2.2, not \"a=b=c\"")]
    [InlineData("--peer ten=192.0.2.2", "--peer ten=192.0.2.2: expected a subnet in the form address/length, for example 10.5.2.0/24, not \"ten\"")]
    [InlineData("--peer 10.5.2.9/24=192.0.2.2", "--peer 10.5.2.9/24=192.0.2.2: \"10.5.2.9/24\" has bits set behind the prefix; expected 10.5.2.0/24")]
    [InlineData("--peer 10.6.2.0/24=192.0.2.2", "--peer 10.6.2.0/24=192.0.2.2: expected a part of 10.5.0.0/16, which is all that is routed into the tunnel, not \"10.6.2.0/24\"")]
    [InlineData("--peer 10.5.1.128/25=192.0.2.2", "--peer 10.5.1.128/25=192.0.2.2: expected a subnet that does not overlap this host's 10.5.1.0/24, not \"10.5.1.128/25\"")]
    [InlineData("--peer 10.5.0.0/16=192.0.2.2", "--peer 10.5.0.0/16=192.0.2.2: expected a subnet that does not overlap this host's 10.5.1.0/24, not \"10.5.0.0/16\"")]
    [InlineData("--peer 10.5.2.0/24=192.0.2.1", "--peer 10.5.2.0/24=192.0.2.1: expected another host's address than our own, not \"192.0.2.1\"")]
    [InlineData("--peer 10.5.2.0/24=fd00::2", "--peer 10.5.2.0/24=fd00::2: expected an IPv4 address like this host's 192.0.2.1, not \"fd00::2\"")]
    [InlineData("--peer 10.5.2.0/24=239.1.1.1", "--peer 10.5.2.0/24=239.1.1.1: expected a unicast underlay address, for example 192.0.2.2, not \"239.1.1.1\"")]
    [InlineData("--peer 10.5.2.0/24=10.5.2.1", "--peer 10.5.2.0/24=10.5.2.1: expected an underlay address outside 10.5.2.0/24, or its packets would be sent into the tunnel again")]
    [InlineData("--peer 10.5.2.0/24=192.0.2.2 --peer 10.5.2.0/24=192.0.2.3", "--peer 10.5.2.0/24=192.0.2.3: 10.5.2.0/24 is given twice; expected each subnet once")]
    [InlineData("--peer 10.5.2.0/24=192.0.2.2,02:ff:c0:00:02:02", "--peer 10.5.2.0/24=192.0.2.2,02:ff:c0:00:02:02: expected no VtepMAC with the udp encapsulation")]
    [InlineData(Vxlan + " --peer 10.5.2.0/24=192.0.2.2", "--peer 10.5.2.0/24=192.0.2.2: vtep_mac is missing: expected the peer's VtepMAC; 02:ff:c0:00:02:02 if it runs FlannelFast at 192.0.2.2 without a MAC of its own choice")]
    [InlineData(Vxlan + " --peer 10.5.2.0/24=192.0.2.2,ff:ff:ff:ff:ff:ff", "--peer 10.5.2.0/24=192.0.2.2,ff:ff:ff:ff:ff:ff: expected a unicast Ethernet address, for example 02:ff:c0:00:02:02, not \"ff:ff:ff:ff:ff:ff\"")]
    [InlineData(Vxlan + " --peer 10.5.2.0/24=192.0.2.2,02:ff:c0:00:02:01", "--peer 10.5.2.0/24=192.0.2.2,02:ff:c0:00:02:01: expected another VtepMAC than our own, not \"02:ff:c0:00:02:01\"")]
    // The command line itself.
    [InlineData("--port", "--port: expected a value; see \"flannelfast tunnel --help\"")]
    [InlineData("--port --queues 2", "--port: expected a value, not the flag --queues; see \"flannelfast tunnel --help\"")]
    [InlineData("--device= --queues 2", "--device: expected a value, not the flag --queues; see \"flannelfast tunnel --help\"")]
    [InlineData("--peer --mtu 1400", "--peer: expected a value, not the flag --mtu; see \"flannelfast tunnel --help\"")]
    [InlineData("--port 1 --port 2", "--port: given 2 times; expected once; see \"flannelfast tunnel --help\"")]
    [InlineData("--prot 1", "\"--prot\": expected a flag of \"flannelfast tunnel\"; see \"flannelfast tunnel --help\"")]
    [InlineData("extra", "\"extra\": expected a flag of \"flannelfast tunnel\"; see \"flannelfast tunnel --help\"")]
    [InlineData("--check=maybe", "\"maybe\": expected a flag of \"flannelfast tunnel\"; see \"flannelfast tunnel --help\"")]
    [InlineData("@peers.txt", "\"@peers.txt\": expected a flag of \"flannelfast tunnel\"; see \"flannelfast tunnel --help\"")]
    [InlineData("--config /etc/ff.json", "--device: expected no flag of the tunnel beside --config; set \"device\" in /etc/ff.json")]
    public async Task Bad_flags_get_one_line_and_exit_2(string flags, string expected)
    {
        (int exitCode, string output, string error) = await _rig.RunAsync([.. Line($"--socket {_rig.SocketPath} {flags}")]);
        Assert.Equal((2, "", $"flannelfast: {expected}\n"), (exitCode, output, error));
        Assert.Equal(0, _rig.Starts);
        Assert.False(File.Exists(_rig.SocketPath));
    }

    [Theory]
    [InlineData("tunnel", "--device is missing: expected the name of the TUN device, for example ff0")]
    [InlineData("tunnel --device ff0", "--local is missing: expected this host's underlay address, for example 192.0.2.1")]
    [InlineData("tunnel --device ff0 --local 192.0.2.1", "--encap is missing: expected udp or vxlan")]
    [InlineData("tunnel --device ff0 --local 192.0.2.1 --encap udp", "--network is missing: expected the network of all pods, for example 10.5.0.0/16")]
    [InlineData("tunnel --device ff0 --local 192.0.2.1 --encap udp --network 10.5.0.0/16", "--subnet is missing: expected this host's part of the network, for example 10.5.1.0/24")]
    [InlineData("", "expected a command: one of tunnel, peer, status, leases, network, reserve, docker-opts, lab, version; see \"flannelfast --help\"")]
    [InlineData("tunnels", "\"tunnels\": expected one of tunnel, peer, status, leases, network, reserve, docker-opts, lab, version; see \"flannelfast --help\"")]
    [InlineData("peer", "expected a command: one of add, del, list; see \"flannelfast peer --help\"")]
    [InlineData("peer add", "expected SUBNET=IP[,MAC]; see \"flannelfast peer add --help\"")]
    [InlineData("peer del", "expected SUBNET; see \"flannelfast peer del --help\"")]
    [InlineData("peer add 10.5.2.0/24", "peer add: expected SUBNET=IP or SUBNET=IP,MAC, for example 10.5.2.0/24=192.0.2.2, not \"10.5.2.0/24\"")]
    [InlineData("status --yaml", "\"--yaml\": expected a flag of \"flannelfast status\"; see \"flannelfast status --help\"")]
    public async Task What_is_missing_is_named(string line, string expected)
    {
        (int exitCode, _, string error) = await _rig.RunAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal((2, $"flannelfast: {expected}\n"), (exitCode, error));
    }

    [Fact]
    public async Task A_file_says_what_flags_say()
    {
        string path = _rig.Files.Write("ff.json", """
            {"device": "ff0", "local": "192.0.2.1", "networks": ["10.5.0.0/16"], "subnets": ["10.5.1.0/24"], "encap": "udp",
             "peers": [{"subnet": "10.5.2.0/24", "public_ip": "192.0.2.2"}]}
            """);
        (int exitCode, string output, _) = await _rig.RunAsync("tunnel", "--config", path, "--check");
        Assert.Equal((0, "ok: device ff0 mtu of the underlay less 28, udp on 192.0.2.1:8285, subnet 10.5.1.0/24 of 10.5.0.0/16, 1 peer\n"), (exitCode, output));

        _rig.Files.Write("ff.json", "{\n\"devise\": \"ff0\"}");
        (exitCode, _, string error) = await _rig.RunAsync("tunnel", "--config", path);
        Assert.Equal(2, exitCode);
        Assert.StartsWith($"flannelfast: {path}:2: devise: no such field; expected one of device, ", error);
        Assert.Equal(1, error.Count(c => c == '\n'));
    }

    /// <summary>The valid flags, without those that the test gives itself; a single one given twice is part of some tests.</summary>
    private static string[] Line(string flags)
    {
        string[] own = flags.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var line = new List<string> { "tunnel" };
        string[] valid = CommandLineRig.Tunnel();
        for (int i = 1; i < valid.Length; i += 2)
        {
            bool isList = valid[i] is "--network" or "--subnet";
            bool replaced = own.Any(o => o == valid[i] || o.StartsWith(valid[i] + "=", StringComparison.Ordinal));
            // A second family joins the first; the same family takes its place.
            if (replaced && !(isList && flags.Contains("fd05", StringComparison.Ordinal))) continue;
            line.AddRange([valid[i], valid[i + 1]]);
        }
        return [.. line, .. own];
    }
}
