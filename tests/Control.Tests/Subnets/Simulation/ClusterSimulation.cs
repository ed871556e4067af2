using FlannelFast.Control.Subnets;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Subnets.Simulation;

/// <summary>
/// Some hosts, one store, and faults 52 to 70 of the project's list of faults in bursts, all from one seed and on one thread: the same seed does the same
/// again, step by step. Times are those of the daemon divided by about 300, so that a lease runs out within a simulation.
/// </summary>
internal sealed class ClusterSimulation
{
    private readonly List<string>? _trace;
    private readonly Chaos _chaos;

    private ClusterSimulation(int seed, ManualTimeProvider time, List<string>? trace)
    {
        (Time, Random, _trace) = (time, new(seed), trace);
        int hosts = Random.Next(2, 7);
        // Sometimes exactly one subnet for each, so that they race for the last.
        int subnets = Random.Next(3) == 0 ? hosts : 12;
        string ipv6 = Random.Next(4) == 0 ? ",\"EnableIPv6\":true,\"IPv6Network\":\"fc00::/60\"" : "";
        Network = StoreRig.Parse($$"""{"Network":"10.5.0.0/16","SubnetMax":"10.5.{{subnets}}.0"{{ipv6}}}""");
        Store = new(time);
        Invariants = new(this);
        LastDisturbance = LastRestore = LastHostility = Now - TimeSpan.TicksPerHour;
        for (int i = 1; i <= hosts; i++) Hosts.Add(new(this, i));
        Store.Writing = Invariants.CheckWrite;
        _chaos = new(this);
    }

    public static RegistryStoreOptions StoreOptions { get; } = new() { TimeToLive = TimeSpan.FromMinutes(5), RelistInterval = TimeSpan.FromSeconds(20) };

    public static LeaseKeeperOptions KeeperOptions { get; } = new() { RenewMargin = TimeSpan.FromMinutes(2), Grace = TimeSpan.FromSeconds(30) };

    public ManualTimeProvider Time { get; }

    public Random Random { get; }

    public NetworkConfig Network { get; }

    public FakeStore Store { get; }

    public List<SimulatedHost> Hosts { get; } = [];

    public ClusterInvariants Invariants { get; }

    public List<string> Violations { get; } = [];

    public long Now => Time.GetTimestamp();

    /// <summary>When the store itself was last changed behind the hosts' backs.</summary>
    public long LastDisturbance { get; private set; }

    public long LastRestore { get; set; }

    /// <summary>When a key was last there that disputes others.</summary>
    public long LastHostility { get; set; }

    public void Disturb() => LastDisturbance = Now;

    /// <summary>Runs one seed.</summary>
    /// <returns>What went wrong; empty if nothing did.</returns>
    public static IReadOnlyList<string> Run(int seed, List<string>? trace = null)
    {
        List<string> violations = [];
        VirtualLoop.Run(async time =>
        {
            var cluster = new ClusterSimulation(seed, time, trace);
            violations = cluster.Violations;
            await cluster.RunAsync();
        });
        return violations;
    }

    public void Trace(string line) => _trace?.Add($"{TimeSpan.FromTicks(Now - TimeSpan.TicksPerDay):hh\\:mm\\:ss\\.fff} {line}");

    public void Violate(string what)
    {
        Trace($"VIOLATION: {what}");
        Violations.Add(what);
    }

    private async Task RunAsync()
    {
        using var stop = new CancellationTokenSource();
        Task[] running = [.. Hosts.Select(host => host.RunAsync(stop.Token)), CheckAsync(stop.Token)];
        await Task.WhenAny([_chaos.RunAsync(), .. running]);
        Trace("no more faults");
        // As long as what ghosts left behind may live, and some time to take its place.
        Task settled = Task.Delay(TimeSpan.FromMinutes(7), Time);
        await Task.WhenAny([settled, .. running]);
        if (settled.IsCompleted) Invariants.CheckConvergence();
        int lines = Hosts.Sum(host => host.Log.Lines.Length);
        if (lines > 150 * Hosts.Count) Violate($"{lines} lines were logged, beginning with {string.Join(" | ", Hosts.SelectMany(host => host.Log.Lines).Take(20))}");
        Cancel(stop);
        foreach (Task task in running)
        {
            try
            {
                await task;
            }
            catch (OperationCanceledException)
            {
                // How each of them ends.
            }
            catch (Exception e)
            {
                Violate(e.ToString());
            }
        }
    }

    private async Task CheckAsync(CancellationToken stop)
    {
        while (Violations.Count == 0)
        {
            await Task.Delay(TimeSpan.FromSeconds(5), Time, stop);
            Invariants.CheckBeliefs();
        }
        await Task.Delay(Timeout.InfiniteTimeSpan, Time, stop);
    }

    // Not CancelAsync: that runs the callbacks on another thread.
    private static void Cancel(CancellationTokenSource source) => source.Cancel();
}
