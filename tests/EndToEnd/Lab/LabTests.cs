using System.Diagnostics;
using System.Text.Json;
using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Lab;

/// <summary>The performance lab from end to end. What it measures is not judged here: the machine is shared.</summary>
public sealed class LabTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ff-lab-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_small_scenario_runs_in_every_workload_and_leaves_nothing()
    {
        string scenario = Write("""
            {
              "name": "tiny", "contenders": ["kernel-vxlan", "udp:peers=300", "exec:hand=ip link add {device} type vxlan id 7 local {local} remote {peer} dstport 4790 dev eth0 && exec sleep 100"],
              "baseline": "kernel-vxlan", "min_rounds": 1, "max_rounds": 1,
              "workloads": [
                { "kind": "tcp", "bidirectional": true, "seconds": 0.1 }, { "kind": "udp-flood", "size": 64, "seconds": 0.1 },
                { "kind": "rtt", "seconds": 0.1 }, { "kind": "rtt-loaded", "seconds": 0.1 }, { "kind": "connect", "seconds": 0.1 }
              ]
            }
            """);
        string json = Path.Combine(_directory, "r.json"), html = Path.Combine(_directory, "r.html");
        CommandResult run = Daemon.Command("lab", "run", "--scenario", scenario, "--json", json, "--html", html).OrThrow();

        Assert.Contains("payload arrives intact over TCP and UDP: kernel-vxlan, udp:peers=300, hand", run.Output, StringComparison.Ordinal);
        using JsonDocument report = JsonDocument.Parse(File.ReadAllBytes(json));
        JsonElement[] measurements = [.. report.RootElement.GetProperty("measurements").EnumerateArray()];
        Assert.Equal(3 * 5, measurements.Length);
        Assert.Equal(0, report.RootElement.GetProperty("failures").GetArrayLength());
        // Every one carried something, and the daemons' processor time is found where there are daemons.
        Assert.All(measurements, m => Assert.Contains(m.GetProperty("values").EnumerateObject(), v => v.Value.GetDouble() > 0));
        Assert.Contains(measurements, m => m.GetProperty("contender").GetString() == "udp:peers=300" && m.GetProperty("daemon_context_switches").GetInt64() > 0);
        Assert.All(measurements.Where(m => m.GetProperty("contender").GetString() == "kernel-vxlan"), m => Assert.Equal(0, m.GetProperty("daemon_context_switches").GetInt64()));
        Assert.Contains("<svg", File.ReadAllText(html), StringComparison.Ordinal);
        Assert.Empty(Namespaces());
    }

    // Killed as soon as it says so: while it makes nodes, while it starts and checks contenders, between the check and the first measurement, and
    // in the middle of measuring.
    [Theory, InlineData(null), InlineData("relay of"), InlineData("payload arrives"), InlineData("round 1"), InlineData("round 2")]
    public void What_a_killed_lab_left_is_cleaned(string? phase)
    {
        using Process lab = Shell.Start(
            Daemon.Binary, "lab", "run", "quick", "--only", "tcp-1", "--contender", "udp", "--contender", "raw", "--underlay", "wire-like", "--delay", "1");
        Eventually.True(() => lab.HasExited || Namespaces(lab.Id).Length == 3, TimeSpan.FromSeconds(10), () => "the lab makes no nodes");
        for (string? line = ""; phase is not null && !line.StartsWith(phase, StringComparison.Ordinal);)
            line = lab.StandardOutput.ReadLine() ?? throw new InvalidOperationException(lab.StandardError.ReadToEnd());
        // A running one is left alone.
        Assert.Equal("nothing to remove\n", Daemon.Command("lab", "clean").OrThrow().Output);
        Assert.Equal(3, Namespaces(lab.Id).Length);
        lab.Kill();
        lab.WaitForExit();
        Assert.Equal(3, Namespaces(lab.Id).Length);

        string output = Daemon.Command("lab", "clean").OrThrow().Output;
        Assert.Contains($"removed namespace fflab-{lab.Id}-node1\n", output, StringComparison.Ordinal);
        Assert.Contains($"removed /run/flannelfast-lab/{lab.Id}\n", output, StringComparison.Ordinal);
        Assert.Empty(Namespaces(lab.Id));
        // Daemons, traffic programs and the relay ran inside; all of them were started through the lab's own /proc entry.
        Assert.DoesNotContain($"/proc/{lab.Id}/exe", Shell.Run("ps", "-eo", "args").Output, StringComparison.Ordinal);
        Assert.Equal("nothing to remove\n", Daemon.Command("lab", "clean").OrThrow().Output);
    }

    [Fact]
    public void A_second_lab_waits_for_the_first()
    {
        string[] arguments = ["lab", "run", "quick", "--only", "tcp-1", "--contender", "raw", "--rounds", "1"];
        using Process first = Shell.Start(Daemon.Binary, [.. arguments[..^1], "100"]);
        while (first.StandardOutput.ReadLine() is { } line && !line.StartsWith("round 1", StringComparison.Ordinal)) { }
        using Process second = Shell.Start(Daemon.Binary, arguments);
        Assert.Equal("another lab measures on this machine: waiting for its end", second.StandardOutput.ReadLine());
        Assert.False(second.WaitForExit(TimeSpan.FromSeconds(0.5)));
        Assert.Empty(Namespaces(second.Id));
        // Killed: the second one cleans up what it left, then measures.
        first.Kill();
        string rest = second.StandardOutput.ReadToEnd();
        Assert.True(second.WaitForExit(TimeSpan.FromSeconds(20)), "the second lab does not end");
        Assert.Equal((0, ""), (second.ExitCode, second.StandardError.ReadToEnd()));
        Assert.StartsWith($"removed what a killed lab left: namespace fflab-{first.Id}-node1\n", rest, StringComparison.Ordinal);
        Assert.Contains("round 1  tcp-1", rest, StringComparison.Ordinal);
        Assert.Empty(Namespaces());
    }

    [Fact]
    public void Without_root_it_says_so()
    {
        CommandResult result = Shell.Try("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", Daemon.Binary, "lab", "run", "quick");
        Assert.Equal(1, result.ExitCode);
        Assert.EndsWith("the lab needs root", Assert.Single(result.ErrorLines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ethtool", "--underlay wire-like needs ethtool, which is not installed", "--underlay", "wire-like")]
    [InlineData("nft", "--loss needs nft, which is not installed", "--loss", "1")]
    [InlineData("perf", "--profile needs perf, which is not installed", "--profile", "/nowhere")]
    public void A_missing_tool_is_named_before_anything_is_made(string tool, string message, params string[] flags)
    {
        string path = Shell.Run("sh", "-c", $"readlink -f \"$(PATH=$PATH:/usr/sbin:/sbin command -v {tool})\"").Output.Trim();
        string command = $"mount --bind /dev/null {path} && exec \"$@\"";
        CommandResult result = Shell.Try("unshare", ["--mount", "sh", "-c", command, "sh", Daemon.Binary, "lab", "run", "quick", .. flags]);
        Assert.Equal((1, $"flannelfast: {message}"), (result.ExitCode, Assert.Single(result.ErrorLines)));
        Assert.Empty(Namespaces());
    }

    [Fact]
    public void Bare_carries_payload_intact_and_never_over_an_underlay_that_cuts()
    {
        string[] arguments = ["lab", "run", "quick", "--only", "tcp-1", "--only", "udp-flood-64", "--only", "rtt", "--contender", "bare", "--rounds", "1"];
        CommandResult run = Daemon.Command([.. arguments, "--underlay", "veth"]).OrThrow();
        Assert.Contains("payload arrives intact over TCP and UDP: bare", run.Output, StringComparison.Ordinal);
        Assert.Equal(3, run.Output.Split('\n').Count(l => l.StartsWith("round 1", StringComparison.Ordinal)));
        run = Daemon.Command([.. arguments, "--underlay", "wire-like"]);
        Assert.Equal(2, run.ExitCode);
        Assert.Equal("flannelfast: contender bare relies on runs of datagrams that arrive as they were sent: expected the underlay veth, not wire-like", Assert.Single(run.ErrorLines));
        Assert.Empty(Namespaces());
    }

    [Fact]
    public void A_contender_that_dies_fails_alone()
    {
        string json = Path.Combine(_directory, "r.json");
        CommandResult run = Daemon.Command(
            "lab", "run", "quick", "--only", "tcp-1", "--only", "rtt", "--rounds", "4", "--json", json, "--contender", "raw", "--contender", "udp", "--contender",
            "exec:mortal=ip link add {device} type vxlan id 7 local {local} remote {peer} dstport 4790 dev eth0; while [ ! -e " + _directory + "/stop ]; do sleep 0.01; done; echo tired >&2; exit 7",
            "--contender", "exec:killer=ip link add {device} type vxlan id 8 local {local} remote {peer} dstport 4791 dev eth0; sleep 2; touch " + _directory + "/stop; exec sleep 100");
        Assert.Equal(1, run.ExitCode);
        using JsonDocument report = JsonDocument.Parse(File.ReadAllBytes(json));
        JsonElement[] failures = [.. report.RootElement.GetProperty("failures").EnumerateArray()];
        // Twice at each workload, then it is not asked again.
        Assert.InRange(failures.Length, 2, 4);
        Assert.All(failures, f => Assert.Equal(
            ("mortal", "contender mortal has ended with exit code 7: tired"), (f.GetProperty("contender").GetString(), f.GetProperty("message").GetString())));
        Assert.Contains("contender mortal has ended with exit code 7: tired", run.Output, StringComparison.Ordinal);
        string[] measured = [.. report.RootElement.GetProperty("measurements").EnumerateArray().Select(m => m.GetProperty("contender").GetString()!)];
        Assert.Equal((8, 8, 8), (measured.Count(c => c == "raw"), measured.Count(c => c == "udp"), measured.Count(c => c == "killer")));
    }

    [Fact]
    public void A_full_disk_costs_the_file_on_it_and_nothing_else()
    {
        string html = Path.Combine(_directory, "r.html");
        CommandResult run = Daemon.Command("lab", "run", "quick", "--only", "tcp-1", "--contender", "raw", "--rounds", "1", "--json", "/dev/full", "--html", html);
        Assert.Equal((1, "flannelfast: cannot write /dev/full: No space left on device : '/dev/full'"), (run.ExitCode, Assert.Single(run.ErrorLines)));
        Assert.Contains("TCP, 1 stream", run.Output, StringComparison.Ordinal);
        Assert.Contains("<svg", File.ReadAllText(html), StringComparison.Ordinal);
        Assert.Empty(Namespaces());
    }

    [Theory, InlineData(Native.SIGTERM), InlineData(Native.SIGINT)]
    public void A_stopped_lab_cleans_up(int signal)
    {
        using Process lab = Shell.Start(Daemon.Binary, "lab", "run", "quick", "--only", "tcp-1", "--contender", "udp", "--contender", "raw");
        Eventually.True(() => lab.HasExited || Namespaces(lab.Id).Length == 2, TimeSpan.FromSeconds(10), () => "the lab makes no nodes");
        Native.Kill(lab.Id, signal);
        Assert.True(lab.WaitForExit(TimeSpan.FromSeconds(10)), "the lab does not end");
        Assert.Equal((1, "flannelfast: stopped before anything was measured; nothing is left behind\n"), (lab.ExitCode, lab.StandardError.ReadToEnd()));
        Assert.Empty(Namespaces(lab.Id));
        Assert.False(Directory.Exists($"/run/flannelfast-lab/{lab.Id}"));
    }

    [Fact]
    public void An_interrupted_lab_reports_the_finished_rounds()
    {
        string json = Path.Combine(_directory, "r.json"), html = Path.Combine(_directory, "r.html");
        using Process lab = Shell.Start(Daemon.Binary, "lab", "run", "quick", "--only", "tcp-1", "--contender", "udp", "--contender", "raw", "--json", json, "--html", html);
        string? line;
        // Four of these are two rounds; the signal hits the fifth or sixth measurement.
        for (int measured = 0; measured < 5 && (line = lab.StandardOutput.ReadLine()) is not null;)
        {
            if (line.StartsWith("round ", StringComparison.Ordinal)) measured++;
        }
        Native.Kill(lab.Id, Native.SIGINT);
        string rest = lab.StandardOutput.ReadToEnd();
        Assert.True(lab.WaitForExit(TimeSpan.FromSeconds(10)), "the lab does not end");
        Assert.Equal((1, ""), (lab.ExitCode, lab.StandardError.ReadToEnd()));
        Assert.Contains("interrupted: only the rounds finished until then are here\n", rest, StringComparison.Ordinal);
        using JsonDocument report = JsonDocument.Parse(File.ReadAllBytes(json));
        Assert.True(report.RootElement.GetProperty("interrupted").GetBoolean());
        string[] contenders = [.. report.RootElement.GetProperty("measurements").EnumerateArray().Select(m => m.GetProperty("contender").GetString()!)];
        Assert.InRange(contenders.Length, 4, 6);
        Assert.Equal(contenders.Count(c => c == "udp"), contenders.Count(c => c == "raw"));
        Assert.Contains("Interrupted", File.ReadAllText(html), StringComparison.Ordinal);
        Assert.Empty(Namespaces(lab.Id));
    }

    [Fact]
    public void A_wrong_switch_is_refused_by_the_daemon_before_anything_is_made()
    {
        CommandResult result = Daemon.Command("lab", "run", "quick", "--contender", "udp:coalesce=maybe");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("contender udp:coalesce=maybe: its configuration:", Assert.Single(result.ErrorLines), StringComparison.Ordinal);
    }

    private static string[] Namespaces(int? lab = null) =>
        Directory.Exists("/run/netns") ? [.. Directory.GetFiles("/run/netns", $"fflab-{(lab is { } pid ? pid : "")}*").Select(p => Path.GetFileName(p))] : [];

    private string Write(string text)
    {
        string path = Path.Combine(_directory, "s.json");
        File.WriteAllText(path, text);
        return path;
    }
}
