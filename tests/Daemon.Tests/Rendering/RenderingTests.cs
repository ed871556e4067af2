using FlannelFast.Control.ControlSocket;
using FlannelFast.Control.Tunnels;
using FlannelFast.Daemon.Rendering;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Packets;
using FlannelFast.Dataplane.Peers;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Daemon.Tests.Rendering;

public sealed class RenderingTests
{
    [Theory]
    [InlineData("status-udp", EncapsulationKind.Udp, 2, false)]
    [InlineData("status-vxlan-many-peers", EncapsulationKind.Vxlan, 23, false)]
    [InlineData("status-no-peers", EncapsulationKind.Udp, 0, false)]
    [InlineData("status-colour", EncapsulationKind.Udp, 3, true)]
    public void Status_looks_as_it_should(string name, EncapsulationKind kind, int peers, bool colour)
    {
        using var text = new StringWriter();
        StatusRenderer.Write(text, Report(kind, peers), new TerminalStyle(colour));
        Golden.Check("Daemon.Tests", name, text.ToString());
    }

    [Fact]
    public void Colours_change_nothing_but_colours()
    {
        using StringWriter plain = new(), colour = new();
        StatusRenderer.Write(plain, Report(EncapsulationKind.Udp, 3), new TerminalStyle(false));
        StatusRenderer.Write(colour, Report(EncapsulationKind.Udp, 3), new TerminalStyle(true));
        Assert.Equal(plain.ToString(), System.Text.RegularExpressions.Regex.Replace(colour.ToString(), "\e\\[[0-9;]*m", ""));
        Assert.NotEqual(plain.ToString(), colour.ToString());
    }

    [Fact]
    public void Nothing_dropped_is_said_in_words()
    {
        StatusReport report = Report(EncapsulationKind.Udp, 0);
        report = report with { Egress = report.Egress with { Dropped = 0 }, Ingress = report.Ingress with { Dropped = 0 } };
        using var text = new StringWriter();
        StatusRenderer.Write(text, report, new TerminalStyle(false));
        Assert.Contains("\ndrops: none\n", text.ToString());
    }

    [Theory]
    [InlineData(true, false, null, false, null, 2, "express lane   on: ff0 <-> eth0, with TCP, 2 peers")]
    [InlineData(true, false, null, false, null, 0, "express lane   on: ff0 <-> eth0, with TCP, 0 of 1 peer")]
    [InlineData(false, false, null, false, null, 1, "express lane   on: ff0 <-> eth0, without TCP, 1 peer")]
    [InlineData(true, true, null, false, null, 1, "express lane   on: ff0 <-> eth0, with TCP and XDP, 1 peer")]
    [InlineData(true, false, null, true, null, 1, "express lane   on: ff0 <-> eth0, with TCP and VXLAN GRO, 1 peer")]
    [InlineData(false, false, "it is busy", false, null, 1, "express lane   on: ff0 <-> eth0, without TCP (no XDP: it is busy), 1 peer")]
    [InlineData(true, true, null, false, "no right", 1, "express lane   on: ff0 <-> eth0, with TCP and XDP (no VXLAN GRO: no right), 1 peer")]
    public void An_open_express_lane_says_where_and_what(bool tcp, bool xdp, string? refusal, bool gro, string? groRefusal, int peers, string expected)
    {
        StatusReport report = Report(EncapsulationKind.Udp, 1) with { ExpressLane = new(true, null, "eth0", tcp, xdp, refusal, gro, groRefusal, peers, new(1, 2, 0), new(3, 4, 0)) };
        using var text = new StringWriter();
        StatusRenderer.Write(text, report, new TerminalStyle(false));
        Assert.Contains($"\n{expected}\n", text.ToString());
        Assert.DoesNotContain("lane_failed", text.ToString());
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1 KiB")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(1048575, "1 MiB")] // not "1024 KiB"
    [InlineData(8388608, "8 MiB")]
    [InlineData(long.MaxValue, "8 EiB")]
    public void Bytes_are_rounded_to_one_digit(long bytes, string expected) => Assert.Equal(expected, Quantity.Bytes(bytes));

    [Theory]
    [InlineData(0.9, "0 s")]
    [InlineData(59, "59 s")]
    [InlineData(125, "2 min 5 s")]
    [InlineData(3600 * 23 + 60, "23 h 1 min")]
    [InlineData(86400 * 400 + 7200, "400 d 2 h")]
    public void Durations_have_two_units(double seconds, string expected) => Assert.Equal(expected, Quantity.Duration(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(false, null, "xterm", true)]
    [InlineData(true, null, "xterm", false)]
    [InlineData(false, "1", "xterm", false)]
    [InlineData(false, "", "xterm", true)] // no-color.org: only when not empty
    [InlineData(false, null, "dumb", false)]
    [InlineData(false, null, null, false)]
    public void Colours_need_a_terminal_that_wants_them(bool redirected, string? noColor, string? term, bool expected) =>
        Assert.Equal(expected, TerminalStyle.IsWanted(redirected, name => name == "NO_COLOR" ? noColor : term));

    private static StatusReport Report(EncapsulationKind kind, int count)
    {
        Peer[] peers = [.. Enumerable.Range(2, count).Select(i => FakeTunnelRuntime.Peer(i, kind == EncapsulationKind.Vxlan ? new MacAddress(0x02ffc0000200UL + (ulong)i) : default))];
        TunnelConfig config = FakeTunnelRuntime.Config(kind, peers);
        using var runtime = new FakeTunnelRuntime(config);
        return new StatusReporter(config, "0.1.0").Report(runtime.ReadStatus(), StatusRenderer.PeersShown) with { Pid = 4711, UptimeSeconds = 11_525.25 };
    }
}
