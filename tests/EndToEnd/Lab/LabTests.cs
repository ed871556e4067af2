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

    [Fact]
    public void What_a_killed_lab_left_is_cleaned()
    {
        using Process lab = Shell.Start(Daemon.Binary, "lab", "run", "quick", "--only", "tcp-1", "--contender", "udp");
        Eventually.True(() => lab.HasExited || Namespaces(lab.Id).Length == 2, TimeSpan.FromSeconds(10), () => "the lab makes no nodes");
        // A running one is left alone.
        Assert.Equal("nothing to remove\n", Daemon.Command("lab", "clean").OrThrow().Output);
        Assert.Equal(2, Namespaces(lab.Id).Length);
        lab.Kill();
        lab.WaitForExit();
        Assert.Equal(2, Namespaces(lab.Id).Length);

        string output = Daemon.Command("lab", "clean").OrThrow().Output;
        Assert.Contains($"removed namespace fflab-{lab.Id}-node1\n", output, StringComparison.Ordinal);
        Assert.Contains($"removed /run/flannelfast-lab/{lab.Id}\n", output, StringComparison.Ordinal);
        Assert.Empty(Namespaces(lab.Id));
        Assert.Equal("nothing to remove\n", Daemon.Command("lab", "clean").OrThrow().Output);
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
