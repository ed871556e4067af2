using System.Text.Json;
using System.Text.RegularExpressions;
using FlannelFast.Control.ControlSocket;
using FlannelFast.Control.Tunnels;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.ControlSocket;

public sealed class StatusReporterTests
{
    [Fact]
    public void Sums_and_reasons_are_complete()
    {
        StatusReport report = Report(FakeTunnelRuntime.Config());
        Assert.Equal(DropReasons.All.Select(r => r.Name), report.Ingress.Drops.Keys);
        Assert.Equal(24, report.Ingress.Drops["spoof_src"]);
        Assert.Equal(0, report.Ingress.Drops["ttl"]);
        Assert.Equal((2_000_200, 2_000_000, 200), (report.Egress.Packets, report.Egress.Forwarded, report.Egress.Dropped));
        foreach (PathReport path in report.Workers.SelectMany(w => new[] { w.Egress, w.Ingress }))
        {
            Assert.Equal(path.Packets, path.Forwarded + path.Drops.Values.Sum());
            Assert.Equal(path.Dropped, path.Drops.Values.Sum());
        }
    }

    [Fact]
    public void A_reason_this_version_does_not_know_is_still_counted()
    {
        TunnelConfig config = FakeTunnelRuntime.Config();
        using var runtime = new FakeTunnelRuntime(config);
        TunnelStatus status = runtime.ReadStatus();
        WorkerStatus worker = status.Engine.Workers[0];
        worker = worker with { Egress = worker.Egress with { Drops = new Dictionary<string, long> { ["new_reason"] = 5 } } };
        status = status with { Engine = status.Engine with { Workers = [worker] } };
        StatusReport report = new StatusReporter(config, "1").Report(status);
        Assert.Equal((5, 5), (report.Egress.Drops["new_reason"], report.Egress.Dropped));
    }

    [Fact]
    public void The_json_schema_does_not_change_by_accident()
    {
        TunnelConfig config = FakeTunnelRuntime.Config(EncapsulationKind.Vxlan, FakeTunnelRuntime.Peer(2, new(0x02ffc0000202)));
        StatusReport report = Report(config) with { Pid = 4711, UptimeSeconds = 12.345 };
        report = report with { Workers = [report.Workers[0]] };
        string json = JsonSerializer.Serialize(report, ControlJsonContext.Indented.StatusReport);
        Golden.Check("Control.Tests", "status", json + "\n");
        Assert.All(Regex.Matches(json, "\"([^\"]+)\":"), m => Assert.Matches("^[a-z0-9_]+$", m.Groups[1].Value));
    }

    [Theory]
    [InlineData("tun_tso", true, true, true, "TCP super-packets cross the TUN")]
    [InlineData("tun_tso", false, true, false, "the TUN driver refused TUN_F_TSO4 and TUN_F_TSO6")]
    [InlineData("tun_tso", false, false, false, "switched off by --tun-offloads off")]
    [InlineData("coalesce", true, true, true, "segments of one flow are merged before the TUN")]
    [InlineData("coalesce", false, true, false, "it needs tun_vnet_header")]
    [InlineData("coalesce", false, false, false, "switched off by --tun-offloads off")]
    public void A_capability_says_why_it_is_off(string name, bool found, bool wanted, bool inUse, string detail)
    {
        EngineOptions options = FakeTunnelRuntime.Config().Engine with { TunOffloads = wanted, Coalesce = wanted };
        CapabilityReport row = CapabilityReporter.Report(options, new(found, found, found, found, found, found, 1, null, 1, 1)).Single(c => c.Name == name);
        Assert.Equal(new(name, inUse, detail), row);
    }

    [Theory]
    [InlineData(1, 1, null, false, "switched off by --source-ports 1")]
    [InlineData(8, 8, null, true, "flows of a worker leave from 8 ports")]
    [InlineData(8, 5, "no more", true, "flows of a worker leave from 5 ports instead of 8: no more")]
    [InlineData(8, 1, "not one", false, "all flows of a worker leave from one port instead of 8: not one")]
    public void Source_ports_say_how_many_there_are_and_why_not_more(int wanted, int found, string? shortage, bool inUse, string detail)
    {
        EngineOptions options = FakeTunnelRuntime.Config(EncapsulationKind.Vxlan).Engine with { SourcePorts = wanted };
        CapabilityReport row = CapabilityReporter.Report(options, new(true, true, true, true, true, true, found, shortage, 1, 1)).Single(c => c.Name == "source_ports");
        Assert.Equal(new("source_ports", inUse, detail), row);
    }

    [Fact]
    public void The_udp_format_says_nothing_of_source_ports() =>
        Assert.DoesNotContain("source_ports", Report(FakeTunnelRuntime.Config()).Capabilities.Select(c => c.Name));

    [Fact]
    public void The_express_lane_says_where_it_runs_or_why_it_does_not()
    {
        Assert.Equal(
            new(true, null, "eth0", true, false, null, false, null, 12, new(3_000_000, 4_200_000_000, 7), new(6_000_000, 8_400_000_000, 0)),
            Report(FakeTunnelRuntime.Config(EncapsulationKind.Vxlan)).ExpressLane);
        Assert.Equal(
            new(false, "this host has IPsec policies", null, null, null, null, null, null, null, null, null),
            Report(FakeTunnelRuntime.Config()).ExpressLane);
    }

    [Theory]
    [InlineData(true, "just closed")]
    [InlineData(false, "being prepared")]
    public void A_lane_that_opens_or_closes_while_it_is_read_is_called_closed(bool isStateOpen, string reason)
    {
        TunnelConfig config = FakeTunnelRuntime.Config(isStateOpen ? EncapsulationKind.Udp : EncapsulationKind.Vxlan);
        using var runtime = new FakeTunnelRuntime(config);
        TunnelStatus status = runtime.ReadStatus() with { ExpressLane = isStateOpen ? new("eth0", null) : new(null, "being prepared") };
        ExpressLaneReport lane = new StatusReporter(config, "1").Report(status).ExpressLane;
        Assert.Equal(new(false, reason, null, null, null, null, null, null, null, lane.Egress, lane.Ingress), lane);
        // What was carried stays known.
        Assert.Equal(!isStateOpen, lane.Egress is not null);
    }

    private static StatusReport Report(TunnelConfig config)
    {
        using var runtime = new FakeTunnelRuntime(config);
        return new StatusReporter(config, "1.2.3").Report(runtime.ReadStatus());
    }
}
