using System.Text.Json;
using FlannelFast.EndToEnd.Support;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.EndToEnd.Stores;

/// <summary>
/// The writer of a directory store is killed at each of its system calls in turn, by strace. Afterwards everything is as it was before or as
/// it should become, never in between, and the same command works.
/// </summary>
public sealed class KilledWriterTests : IDisposable
{
    private const string First = """{"Network":"10.5.0.0/16"}""", Second = """{"Network":"10.5.0.0/16","Backend":{"Type":"vxlan"}}""";

    // What changes something on disk, or holds the lock meanwhile. openat(2) is left out: the start of a process is full of it, and what it
    // makes is an empty file without a name that counts, as is seen at the write(2) behind it.
    private static readonly string[] s_calls = ["mkdirat", "flock", "unlinkat", "write", "fsync", "renameat"];

    private readonly TemporaryDirectory _files = new();

    private string Store => _files["store"];

    /// <inheritdoc />
    public void Dispose() => _files.Dispose();

    /// <summary>The first write, which makes the directory.</summary>
    [Fact]
    public void The_first_config() =>
        Check(() => DeleteStore(), ["network", "set", First], before: "no config, no leases", after: $"{First}, no leases");

    /// <summary>A config over another.</summary>
    [Fact]
    public void Another_config() =>
        Check(() => Prepare(["network", "set", First]), ["network", "set", "--force", Second], before: $"{First}, no leases", after: $"{Second}, no leases");

    /// <summary>The first lease, which makes the directory of leases.</summary>
    [Fact]
    public void The_first_lease() => Check(
        () => Prepare(["network", "set", First]), ["reserve", "10.5.7.0/24", "--public-ip", "192.0.2.7"],
        before: $"{First}, no leases", after: $"{First}, 10.5.7.0/24 of 192.0.2.7");

    /// <summary>A second lease.</summary>
    [Fact]
    public void Another_lease() => Check(
        () => Prepare(["network", "set", First], ["reserve", "10.5.7.0/24", "--public-ip", "192.0.2.7"]), ["reserve", "10.5.8.0/24", "--public-ip", "192.0.2.8"],
        before: $"{First}, 10.5.7.0/24 of 192.0.2.7", after: $"{First}, 10.5.7.0/24 of 192.0.2.7, 10.5.8.0/24 of 192.0.2.8");

    /// <summary>A deletion.</summary>
    [Fact]
    public void A_lease_less() => Check(
        () => Prepare(["network", "set", First], ["reserve", "10.5.7.0/24", "--public-ip", "192.0.2.7"]), ["reserve", "10.5.7.0/24", "--remove"],
        before: $"{First}, 10.5.7.0/24 of 192.0.2.7", after: $"{First}, no leases");

    private void Check(Action prepare, string[] command, string before, string after)
    {
        int kills = 0;
        HashSet<string> seen = [];
        foreach (string call in s_calls)
        {
            for (int n = 1; ; n++)
            {
                Assert.True(n < 50, $"the 50th {call} of {string.Join(' ', command)}: this never ends");
                prepare();
                long revision = Revision();
                CommandResult result = Shell.Try("strace", ["-f", "-qq", "-o", _files["trace"], "-e", $"trace={call}", "-e", $"inject={call}:signal=SIGKILL:when={n}", Daemon.Binary, .. command, "--store-dir", Store]);
                string state = State();
                if (result.ExitCode == 0)
                {
                    Assert.Equal(after, state);
                    break;
                }
                Assert.Equal(128 + 9, result.ExitCode);
                kills++;
                seen.Add(state);
                Assert.True(state == before || state == after, $"killed at {call} {n}: {state}");
                Assert.True(Revision() >= revision, $"killed at {call} {n}: the revision went back");
                if (state == before) Run(command);
                Assert.Equal(after, State());
            }
        }
        Assert.True(kills >= 5, $"only {kills} kills: this proves nothing");
        Assert.Contains(before, seen);
        Assert.Contains(after, seen);
    }

    private void DeleteStore()
    {
        if (Directory.Exists(Store)) Directory.Delete(Store, recursive: true);
    }

    private void Prepare(params string[][] commands)
    {
        DeleteStore();
        foreach (string[] command in commands) Run(command);
    }

    private void Run(string[] command) => Daemon.Command([.. command, "--store-dir", Store]).OrThrow();

    private long Revision() => Leases().GetProperty("revision").GetInt64();

    private string State()
    {
        string config = Path.Combine(Store, "config");
        string leases = string.Join(", ", Leases().GetProperty("leases").EnumerateArray().Select(l => $"{l.GetProperty("subnet")} of {l.GetProperty("public_ip")}"));
        return $"{(File.Exists(config) ? File.ReadAllText(config) : "no config")}, {(leases.Length > 0 ? leases : "no leases")}";
    }

    private JsonElement Leases()
    {
        JsonElement report = JsonElement.Parse(Daemon.Command("leases", "--json", "--store-dir", Store).OrThrow().Output);
        Assert.Empty(report.GetProperty("ignored").EnumerateArray());
        return report;
    }
}
