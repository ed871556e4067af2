using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Device;

/// <summary>How the kernel schedules the worker: in real time while it is busy, ordinarily otherwise, and always so where it may not.</summary>
public sealed class SchedulingTests
{
    // sched(7)
    private const int Other = 0, RoundRobin = 2;

    [Fact]
    public async Task A_busy_worker_runs_in_real_time_and_an_idle_one_does_not()
    {
        using TwoNodes nodes = TwoNodes.CreateJoined("udp");
        Assert.Contains("real_time", nodes.Daemons[0].Status().CapabilitiesInUse);
        Assert.Equal((Other, -15), Worker(nodes.Daemons[0]));

        Task transfer = Task.Run(() => TcpTransfer.MustArriveIntact(nodes.One, nodes.Two, TwoNodes.OverlayAddress(2), 400_000_000), TestContext.Current.CancellationToken);
        Eventually.True(() => nodes.Daemons.All(d => Worker(d).Policy == RoundRobin), TimeSpan.FromSeconds(5), () => "no worker became urgent");
        await transfer;

        // Many small bursts in a row end it.
        nodes.One.Run("ping", "-q", "-c", "600", "-i", "0.002", TwoNodes.OverlayAddress(2));
        Eventually.True(() => nodes.Daemons.All(d => Worker(d) == (Other, -15)), TimeSpan.FromSeconds(2), () => "a worker stayed urgent");
    }

    /// <summary>Programs would wait while it cuts. Features tell nobody that they change, but the next look sees it.</summary>
    [Fact]
    public async Task Over_an_underlay_that_cuts_it_is_no_better_than_others_while_it_is_busy()
    {
        using TwoNodes nodes = TwoNodes.CreateJoined("udp", Underlay.WireLike);
        Eventually.True(() => nodes.Daemons.All(d => !d.Status().CapabilitiesInUse.Contains("real_time")), TimeSpan.FromSeconds(2), () => "it would run in real time");
        Assert.Contains("the underlay cuts what workers send", nodes.Daemons[0].Client("status").Output, StringComparison.Ordinal);
        Assert.Equal((Other, -15), Worker(nodes.Daemons[0]));
        await BusyMustBeAsync((Other, 0));
        foreach (int n in (int[])[1, 2])
        {
            nodes.Node(n).Run("ethtool", "-K", "eth0", "gso", "on", "tx", "on", "tso", "on", "tx-udp-segmentation", "on");
            nodes.Node(n).Ip("link", "set", "eth0", "mtu", "1499");
        }
        Eventually.True(() => nodes.Daemons.All(d => d.Status().CapabilitiesInUse.Contains("real_time")), TimeSpan.FromSeconds(2), () => "it would not run in real time");
        await BusyMustBeAsync((RoundRobin, 0));

        async Task BusyMustBeAsync((int Policy, int Nice) expected)
        {
            Task transfer = Task.Run(() => TcpTransfer.MustArriveIntact(nodes.One, nodes.Two, TwoNodes.OverlayAddress(2), 400_000_000), TestContext.Current.CancellationToken);
            Eventually.True(() => nodes.Daemons.All(d => Worker(d) == expected), TimeSpan.FromSeconds(5), () => string.Join(' ', nodes.Daemons.Select(d => Worker(d))));
            await transfer;
        }
    }

    /// <summary>In real time it would keep the receiver of the datagrams from the core, and they would be lost there.</summary>
    [Fact]
    public async Task A_flood_of_small_datagrams_makes_nobody_urgent()
    {
        using TwoNodes nodes = TwoNodes.CreateJoined("udp");
        Task<long> flood = Task.Run(() => Iperf.UdpFlood(nodes.One, nodes.Two, TwoNodes.OverlayAddress(2), seconds: 2), TestContext.Current.CancellationToken);
        int samples = 0;
        for (; !flood.IsCompleted; samples++)
        {
            foreach (Daemon daemon in nodes.Daemons) Assert.Equal((Other, -15), Worker(daemon));
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
        Assert.InRange(await flood, 20_000, long.MaxValue);
        Assert.InRange(samples, 20, int.MaxValue);
    }

    [Fact]
    public void Switched_off_it_stays_an_ordinary_thread()
    {
        using TwoNodes nodes = TwoNodes.Create();
        nodes.StartDaemon(1, "udp", "--real-time", "off");
        nodes.StartDaemon(2, "udp", "--real-time", "off");
        MustStayOrdinary(nodes, "switched off by --real-time off");
    }

    [Fact]
    public void Without_the_right_to_it_everything_else_works()
    {
        using TwoNodes nodes = TwoNodes.Create();
        string[] wrapper = ["setpriv", "--bounding-set", "-sys_nice", "--inh-caps", "-sys_nice"];
        foreach (int node in (int[])[1, 2])
            nodes.Own(Daemon.StartBy(wrapper, nodes.Node(node), nodes.SocketPath(node), [.. nodes.TunnelFlags(node, "udp")]));
        MustStayOrdinary(nodes, "CAP_SYS_NICE is missing");
    }

    private static void MustStayOrdinary(TwoNodes nodes, string reason)
    {
        Assert.DoesNotContain("real_time", nodes.Daemons[0].Status().CapabilitiesInUse);
        Assert.Contains(reason, Daemon.Command("status", "--socket", nodes.SocketPath(1)).Output, StringComparison.Ordinal);
        TcpTransfer.MustArriveIntact(nodes.One, nodes.Two, TwoNodes.OverlayAddress(2), 50_000_000);
        foreach (Daemon daemon in nodes.Daemons) Assert.Equal((Other, 0), Worker(daemon));
    }

    /// <summary>Policy and nice value of the packet thread, from /proc/PID/task/TID/stat (proc(5): fields 41 and 19).</summary>
    private static (int Policy, int Nice) Worker(Daemon daemon)
    {
        foreach (string task in Directory.GetDirectories($"/proc/{daemon.Pid}/task"))
        {
            string stat = File.ReadAllText(Path.Combine(task, "stat"));
            int end = stat.LastIndexOf(')');
            if (!stat.AsSpan(0, end).EndsWith("(worker 0")) continue;
            string[] fields = stat[(end + 2)..].Split(' ');
            return (int.Parse(fields[41 - 3], null), int.Parse(fields[19 - 3], null));
        }
        throw new InvalidOperationException("the daemon has no worker thread");
    }
}
