using System.Text.Json;
using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Lab;

/// <summary>Tunnels that are not ours take part by a command line, also between pods, where packets are forwarded at both ends.</summary>
public sealed class ForeignContenderTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ff-lab-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData("pair")]
    [InlineData("pods")]
    public void Tunnels_of_every_kind_carry_traffic(string topology)
    {
        string[] contenders =
        [
            // IP packets, nothing but a device: the lab adds address and route.
            "exec:socat-tun=socat UDP-DATAGRAM:{peer}:7001,bind={local}:7001 TUN,tun-name={device},iff-no-pi,iff-up",
            // Ethernet frames: neighbours have to be found through it.
            "exec:socat-tap=socat UDP-DATAGRAM:{peer}:7002,bind={local}:7002 TUN,tun-type=tap,tun-name={device},iff-no-pi,iff-up",
            // The program makes its own addresses and routes.
            "exec:own-routes=socat UDP-DATAGRAM:{peer}:7003,bind={local}:7003 TUN:$(echo {subnet} | sed s,0/24,0/16,),tun-type=tap,tun-name={device},iff-no-pi,iff-up",
            "exec:openvpn=openvpn --dev {device} --dev-type tun --local {local} --remote {peer} --port 7004 --proto udp --cipher none --auth none --tun-mtu 1400 --verb 1",
        ];
        string file = Path.Combine(_directory, "s.json"), json = Path.Combine(_directory, "r.json");
        File.WriteAllText(file, $$"""
            { "name": "foreign", "topology": "{{topology}}", "contenders": [{{string.Join(", ", contenders.Select(c => $"\"{JsonEncodedText.Encode(c)}\""))}}],
              "min_rounds": 1, "max_rounds": 1, "workloads": [{ "kind": "rtt", "seconds": 0.2 }, { "kind": "tcp", "seconds": 0.2 }, { "kind": "connect", "seconds": 0.2 }] }
            """);
        CommandResult run = Daemon.Command("lab", "run", "--scenario", file, "--json", json).OrThrow();
        Assert.Contains("payload arrives intact over TCP and UDP: socat-tun, socat-tap, own-routes, openvpn\n", run.Output, StringComparison.Ordinal);
        using JsonDocument report = JsonDocument.Parse(File.ReadAllBytes(json));
        JsonElement[] measurements = [.. report.RootElement.GetProperty("measurements").EnumerateArray()];
        Assert.Equal(4 * 3, measurements.Length);
        // The programs are found behind their shells.
        Assert.All(measurements.Where(m => m.GetProperty("workload").GetString() == "tcp-1"), m => Assert.True(m.GetProperty("daemon_cpu_seconds").GetDouble() > 0));
    }
}
