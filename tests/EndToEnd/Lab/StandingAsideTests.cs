using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Lab;

/// <summary>All contenders share the underlay: of those with programs on its interfaces, or a tunnel socket of the kernel's, only the one that is measured has them.</summary>
public sealed class StandingAsideTests : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    private readonly string _directory = Directory.CreateTempSubdirectory("ff-lab-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Only_the_contender_that_is_measured_has_its_express_lane_open_or_its_device_up()
    {
        (Process started, string json) = Start("""
            { "name": "lanes", "contenders": ["udp", "vxlan", "kernel-vxlan"], "baseline": "kernel-vxlan", "min_rounds": 1, "max_rounds": 1,
              "workloads": [{ "kind": "udp-flood", "size": 64, "seconds": 2 }] }
            """);
        using Process lab = started;
        WaitFor(lab, "payload");
        var samples = new List<Sample>();
        for (long began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < s_limit && Sample.Take(lab.Id) is { } sample;) samples.Add(sample);
        await lab.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.True(lab.WaitForExit(s_limit), "the lab does not end");
        Assert.Equal((0, ""), (lab.ExitCode, await lab.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken)));

        AssertOpen(samples, s => s.Udp.Forwarded, (true, false, false));
        AssertOpen(samples, s => s.Vxlan.Forwarded, (false, true, false));
        AssertOpen(samples, s => s.Kernel.Received, (false, false, true));
        // The kernel's device comes last: when it is measured the others' counters are final.
        using JsonDocument report = JsonDocument.Parse(await File.ReadAllBytesAsync(json, TestContext.Current.CancellationToken));
        JsonElement[] measurements = [.. report.RootElement.GetProperty("measurements").EnumerateArray()];
        Assert.Equal(["udp", "vxlan", "kernel-vxlan"], measurements.Select(m => m.GetProperty("contender").GetString()));
        Assert.InRange(measurements[0].GetProperty("packets").GetInt64(), 1000, samples[^1].Udp.Forwarded - samples[0].Udp.Forwarded);
        Assert.InRange(measurements[1].GetProperty("packets").GetInt64(), 1000, samples[^1].Vxlan.Forwarded - samples[0].Vxlan.Forwarded);
    }

    // A device that is gone with its daemon must not hide how that ended.
    [Fact]
    public async Task A_daemon_that_is_killed_while_it_is_measured_fails_with_its_end()
    {
        (Process started, string json) = Start("""
            { "name": "mortal", "contenders": ["raw", "udp"], "min_rounds": 1, "max_rounds": 3, "workloads": [{ "kind": "tcp", "seconds": 1 }] }
            """);
        using Process lab = started;
        // In the first round raw is measured first.
        WaitFor(lab, "round 1");
        await Task.Delay(TimeSpan.FromSeconds(0.5), TestContext.Current.CancellationToken);
        string pid = Shell.Run("pgrep", "-f", $" tunnel --config .*/{lab.Id}/overlay1-2.sock ").Output.Trim();
        Native.Kill(int.Parse(pid, CultureInfo.InvariantCulture), Native.SIGKILL);
        await lab.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.True(lab.WaitForExit(s_limit), "the lab does not end");
        Assert.Equal(1, lab.ExitCode);
        using JsonDocument report = JsonDocument.Parse(await File.ReadAllBytesAsync(json, TestContext.Current.CancellationToken));
        Assert.Equal(["raw", "raw", "raw"], report.RootElement.GetProperty("measurements").EnumerateArray().Select(m => m.GetProperty("contender").GetString()));
        JsonElement[] failures = [.. report.RootElement.GetProperty("failures").EnumerateArray()];
        Assert.Equal([1, 2], failures.Select(f => f.GetProperty("round").GetInt32()));
        Assert.All(failures, f => Assert.Equal("contender udp has ended with exit code 137", f.GetProperty("message").GetString()));
    }

    /// <summary>Demands which lanes are open, and whether the kernel's device is up, whenever a counter shows that its contender is being measured.</summary>
    private static void AssertOpen(List<Sample> samples, Func<Sample, long> counter, (bool Udp, bool Vxlan, bool Kernel) expected)
    {
        int found = 0;
        for (int i = 1; i + 2 < samples.Count; i++)
        {
            // A sample is not taken at once: its traffic began before it, and ended after all of it.
            if (!(counter(samples[i - 1]) < counter(samples[i]) && counter(samples[i]) < counter(samples[i + 1]) && counter(samples[i + 1]) < counter(samples[i + 2]))) continue;
            Assert.Equal(expected, (samples[i].Udp.Open, samples[i].Vxlan.Open, samples[i].Kernel.IsUp));
            found++;
        }
        Assert.True(found >= 2, $"only {found} of {samples.Count} samples with traffic:\n{string.Join('\n', samples)}");
    }

    private (Process Lab, string Json) Start(string scenario)
    {
        (string file, string json) = (Path.Combine(_directory, "s.json"), Path.Combine(_directory, "r.json"));
        File.WriteAllText(file, scenario);
        return (Shell.Start(Daemon.Binary, "lab", "run", "--scenario", file, "--json", json), json);
    }

    private static void WaitFor(Process lab, string beginning)
    {
        for (string? line = ""; !line.StartsWith(beginning, StringComparison.Ordinal);)
            line = lab.StandardOutput.ReadLine() ?? throw new InvalidOperationException(lab.StandardError.ReadToEnd());
    }

    /// <summary>Node 1, which receives.</summary>
    /// <param name="Kernel">The kernel's VXLAN device.</param>
    /// <param name="Udp">First contender.</param>
    /// <param name="Vxlan">Second contender.</param>
    private sealed record Sample(VxlanDevice Kernel, Lane Udp, Lane Vxlan)
    {
        /// <summary>Null when the lab is taking down what it made.</summary>
        internal static Sample? Take(int lab)
        {
            CommandResult device = Shell.Try("ip", "-n", $"fflab-{lab}-node1", "-j", "-s", "link", "show", "dev", "overlay2");
            if (device.ExitCode != 0 || Lane.Read(lab, 0) is not { } udp || Lane.Read(lab, 1) is not { } vxlan) return null;
            using JsonDocument links = JsonDocument.Parse(device.Output);
            JsonElement link = links.RootElement[0];
            bool isUp = link.GetProperty("flags").EnumerateArray().Any(flag => flag.GetString() == "UP");
            return new(new(isUp, link.GetProperty("stats64").GetProperty("rx").GetProperty("packets").GetInt64()), udp, vxlan);
        }
    }

    /// <summary>As ip(8) shows it.</summary>
    /// <param name="IsUp">Whether it is up.</param>
    /// <param name="Received">Packets so far.</param>
    private sealed record VxlanDevice(bool IsUp, long Received);

    /// <summary>An express lane as its daemon reports it.</summary>
    /// <param name="Open">Whether it is open.</param>
    /// <param name="Forwarded">Packets it has received so far.</param>
    private sealed record Lane(bool Open, long Forwarded)
    {
        internal static Lane? Read(int lab, int contender)
        {
            CommandResult status = Daemon.Command("status", "--json", "--socket", $"/run/flannelfast-lab/{lab}/overlay{contender}-1.sock");
            if (status.ExitCode != 0) return null;
            JsonElement lane = DaemonStatus.Parse(status.Output).ExpressLane;
            return new(lane.GetProperty("open").GetBoolean(), lane.GetProperty("ingress").GetProperty("forwarded").GetInt64());
        }
    }
}
