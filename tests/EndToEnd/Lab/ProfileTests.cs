using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;
using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Lab;

/// <summary>Profiles with the real perf. What the kernel allows here is part of what test.sh demands: without it these fail, and say why.</summary>
public sealed class ProfileTests : IDisposable
{
    private static readonly XNamespace s_svg = "http://www.w3.org/2000/svg";
    private static readonly string[] s_run = ["lab", "run", "quick", "--only", "tcp-1", "--rounds", "1"];

    private readonly string _directory = Directory.CreateTempSubdirectory("ff-profile-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_profile_of_every_contender_is_written_and_in_no_figure()
    {
        string profiles = Path.Combine(_directory, "new", "profiles"), json = Path.Combine(_directory, "r.json"), html = Path.Combine(_directory, "r.html");
        CommandResult run = Daemon.Command(
            [.. s_run, "--contender", "kernel-vxlan", "--contender", "udp:express-lane=off", "--profile", profiles, "--json", json, "--html", html]).OrThrow();

        Assert.Equal(
            ["tcp-1.kernel-vxlan.folded", "tcp-1.kernel-vxlan.svg", "tcp-1.udp-express-lane=off.folded", "tcp-1.udp-express-lane=off.svg"],
            Directory.GetFiles(profiles).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        (string kernel, string udp) = (Folded("tcp-1.kernel-vxlan"), Folded("tcp-1.udp-express-lane=off"));
        Assert.Contains("PacketWorker.Egress;", udp, StringComparison.Ordinal);
        Assert.Contains("PacketWorker.Ingress;", udp, StringComparison.Ordinal);
        Assert.Matches("(?m)^worker 0;.*;__\\w+_sys_\\w+_\\[k\\];.* [0-9]+$", udp);
        Assert.Contains("vxlan_xmit_[k]", kernel, StringComparison.Ordinal);
        Assert.DoesNotContain("PacketWorker", kernel, StringComparison.Ordinal);

        XElement svg = XDocument.Load(Path.Combine(profiles, "tcp-1.udp-express-lane=off.svg")).Root!;
        string[] titles = [.. svg.Descendants(s_svg + "title").Select(t => t.Value)];
        Assert.Contains(titles, t => t.StartsWith("PacketWorker.Egress: ", StringComparison.Ordinal));
        Assert.InRange(new FileInfo(Path.Combine(profiles, "tcp-1.udp-express-lane=off.svg")).Length, 10_000, 300_000);

        using JsonDocument report = JsonDocument.Parse(File.ReadAllBytes(json));
        Assert.Equal(2, report.RootElement.GetProperty("measurements").GetArrayLength());
        JsonElement profile = report.RootElement.GetProperty("profiles")[1];
        // Two seconds of all processors, of which the daemons had a good part; what the first frames of the file add up to.
        Assert.Equal(Environment.ProcessorCount * 2 * 1999, profile.GetProperty("samples").GetInt64(), Environment.ProcessorCount * 1999.0);
        Assert.Equal(profile.GetProperty("samples").GetInt64(), udp.Split('\n', StringSplitOptions.RemoveEmptyEntries).Sum(l => long.Parse(l.AsSpan(l.LastIndexOf(' ') + 1), CultureInfo.InvariantCulture)));
        Assert.True(profile.GetProperty("own_percent").GetDouble() > 1, profile.ToString());
        Assert.Contains(profile.GetProperty("system_calls").EnumerateArray(), c => c.GetProperty("name").GetString() is "sendmmsg" or "sendmsg");
        Assert.Contains("Where the time went", run.Output, StringComparison.Ordinal);
        Assert.Contains("href=\"new/profiles/tcp-1.udp-express-lane%3Doff.svg\"", File.ReadAllText(html), StringComparison.Ordinal);

        string Folded(string name) => File.ReadAllText(Path.Combine(profiles, name + ".folded"));
    }

    [Fact]
    public void Where_perf_may_not_watch_the_machine_nothing_is_made()
    {
        // Root in all but the right to watch others.
        string paranoid = File.ReadAllText("/proc/sys/kernel/perf_event_paranoid").Trim();
        Assert.True(int.Parse(paranoid, CultureInfo.InvariantCulture) > 0, $"kernel.perf_event_paranoid is {paranoid}: everybody may watch everything here; this test needs at least 1, the kernel's default is 2");
        CommandResult result = Shell.Try(
            "setpriv", ["--bounding-set", "-perfmon,-sys_admin", "--inh-caps", "-perfmon,-sys_admin", Daemon.Binary, .. s_run, "--profile", Path.Combine(_directory, "p")]);
        Assert.Equal(1, result.ExitCode);
        string line = Assert.Single(result.ErrorLines);
        Assert.StartsWith("flannelfast: --profile: perf cannot record the whole machine: ", line, StringComparison.Ordinal);
        Assert.EndsWith("; it needs CAP_PERFMON, or kernel.perf_event_paranoid at 0 or less", line, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_directory));
    }

    [Fact]
    public void A_place_that_is_no_directory_is_refused()
    {
        string file = Path.Combine(_directory, "file");
        File.WriteAllText(file, "");
        CommandResult result = Daemon.Command([.. s_run, "--profile", file]);
        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith("flannelfast: --profile: expected a directory that can be made or is there: ", Assert.Single(result.ErrorLines), StringComparison.Ordinal);
    }

    [Theory, InlineData(Native.SIGINT), InlineData(Native.SIGTERM)]
    public void Stopped_while_it_records_it_ends_perf_and_keeps_the_figures(int signal)
    {
        string json = Path.Combine(_directory, "r.json");
        using Process lab = Shell.Start(Daemon.Binary, [.. s_run, "--contender", "udp", "--profile", _directory, "--json", json]);
        string data = $"/run/flannelfast-lab/{lab.Id}/perf.data";
        Eventually.True(() => lab.HasExited || File.Exists(data), TimeSpan.FromSeconds(20), () => "perf does not begin");
        Native.Kill(lab.Id, signal);
        Assert.True(lab.WaitForExit(TimeSpan.FromSeconds(10)), "the lab does not end");
        Assert.Equal((1, ""), (lab.ExitCode, lab.StandardError.ReadToEnd()));
        using JsonDocument report = JsonDocument.Parse(File.ReadAllBytes(json));
        Assert.Equal(
            (true, 1, 0),
            (report.RootElement.GetProperty("interrupted").GetBoolean(), report.RootElement.GetProperty("measurements").GetArrayLength(), report.RootElement.GetProperty("profiles").GetArrayLength()));
        Assert.False(Directory.Exists($"/run/flannelfast-lab/{lab.Id}"));
        Assert.DoesNotContain(data, Shell.Run("ps", "-eo", "args").Output, StringComparison.Ordinal);
        Assert.Equal([json], Directory.GetFileSystemEntries(_directory));
    }

    [Fact]
    public void A_full_disk_costs_the_profile_and_no_figure()
    {
        string json = Path.Combine(_directory, "r.json"), full = Path.Combine(_directory, "full");
        Directory.CreateDirectory(full);
        CommandResult run = Shell.Try(
            "unshare", ["--mount", "sh", "-c", "mount -t tmpfs -o size=4k none \"$1\" && shift && exec \"$@\"", "sh", full, Daemon.Binary, .. s_run, "--contender", "udp", "--profile", full, "--json", json]);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains($"tcp-1 on udp failed: profile: cannot write to {full}: No space left on device", run.Output, StringComparison.Ordinal);
        using JsonDocument report = JsonDocument.Parse(File.ReadAllBytes(json));
        Assert.Equal(1, report.RootElement.GetProperty("measurements").GetArrayLength());
        Assert.Equal(2, report.RootElement.GetProperty("failures")[0].GetProperty("round").GetInt32());
    }
}
