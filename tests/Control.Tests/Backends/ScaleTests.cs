using System.Net;
using FlannelFast.Control.Backends;
using FlannelFast.Control.Backends.Reconciliation;
using FlannelFast.Control.Backends.Udp;
using FlannelFast.Control.Backends.Vxlan;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Tests.Backends.Support;

namespace FlannelFast.Control.Tests.Backends;

/// <summary>5,000 peers of which 500 change every second, on the real engine.</summary>
public sealed class ScaleTests(ITestOutputHelper output)
{
    private const int Peers = 5000, ChangesPerSecond = 500;

    private int _next;

    [Theory, InlineData("udp"), InlineData("vxlan")]
    public void Many_changes_cost_little(string type)
    {
        NetworkConfig network = Sample.Network($$"""{"Type":"{{type}}"}""");
        network = network with { Ipv4 = network.Ipv4! with { Network = IPNetwork.Parse("10.0.0.0/8") } };
        (Node one, Node two) = Node.CreatePair();
        using (one)
        using (two)
        {
            long others = SettledHeap();
            BackendContext context = Sample.Context(network, one.External("192.0.2.1"));
            using IBackend backend = one.Do(() => type == "udp" ? UdpBackend.Prepare(context) : EngineVxlanBackend.Prepare(context));
            one.Do(() => backend.Start(Sample.Lease(1)));
            using var reconciler = new Reconciler(backend, TimeProvider.System, new RecordingLog());
            reconciler.Start();
            reconciler.Take(new LeaseUpdate.Snapshot([.. Enumerable.Range(0, Peers).Select(n => Lease(n, type, 0))]));
            Soon.True(() => reconciler.Synchronised.IsCompleted, "the first apply");
            Change(reconciler, type, seconds: 1);
            // The peak is what counts against a limit; what is left after a collection shows what grows.
            long heap = SettledHeap() - others, allocated = GC.GetTotalAllocatedBytes();
            TimeSpan busy = Environment.CpuUsage.TotalTime;
            long applies = reconciler.ReadStatus().Applies;

            const int seconds = 5;
            Change(reconciler, type, seconds);
            double cores = (Environment.CpuUsage.TotalTime - busy).TotalSeconds / seconds;
            ReconcilerStatus status = reconciler.ReadStatus();
            long grown = SettledHeap() - others - heap;
            output.WriteLine($"{type}: {cores:P1} of a core, {(status.Applies - applies) / seconds} applies/s of {status.LastDuration.TotalMilliseconds:F1} ms, "
                + $"{(GC.GetTotalAllocatedBytes() - allocated) / seconds / 1e6:F1} MB/s allocated, heap {heap / 1e6:F1} MB and {grown / 1e6:F1} MB more, process {Environment.WorkingSet / 1e6:F0} MB");
            Assert.Empty(status.Failures);
            Assert.InRange(cores, 0, 0.6);
            Assert.InRange(heap + grown, long.MinValue, 60_000_000);
            Assert.InRange(grown, long.MinValue, 5_000_000);
            Soon.True(() => backend.Routes.Count(route => route.Via.Contains("198.51.", StringComparison.Ordinal)) == Math.Min(Peers, 6 * ChangesPerSecond), "every change");
        }
    }

    /// <summary>
    /// In bytes. What tests before left behind must not be freed while this one counts: finalizers, and timers and sockets that end on other threads, let go of it only after a while.
    /// </summary>
    private static long SettledHeap()
    {
        for (long before = long.MaxValue; ;)
        {
            long now = GC.GetTotalMemory(forceFullCollection: true);
            if (before - now < 10_000) return now;
            before = now;
            GC.WaitForPendingFinalizers();
            Thread.Sleep(200);
        }
    }

    /// <summary>As they come from a watch: one by one, evenly.</summary>
    private void Change(Reconciler reconciler, string type, int seconds)
    {
        long started = Environment.TickCount64;
        for (int i = 0; i < seconds * ChangesPerSecond; i++)
        {
            _next++;
            reconciler.Take(new LeaseUpdate.Put(Lease(_next % Peers, type, 1 + _next / Peers)));
            long due = started + i * 1000L / ChangesPerSecond;
            while (Environment.TickCount64 < due) Thread.Sleep(1);
        }
    }

    private static Lease Lease(int n, string type, int version)
    {
        int host = n + 256;
        return new()
        {
            Subnet = new(new IPNetwork(new IPAddress([10, (byte)(20 + host / 256), (byte)host, 0]), 24)),
            Attributes = new()
            {
                PublicIP = new(new byte[] { 198, (byte)(version > 0 ? 51 : 18), (byte)(host / 256 + version % 2 * 100), (byte)host }),
                BackendType = type == "vxlan" ? type : "",
                BackendData = type == "vxlan" ? Sample.Json($$"""{"VNI":1,"VtepMAC":"02:00:00:00:{{host / 256:x2}}:{{host % 256:x2}}"}""") : default,
            },
            ExpiresAt = 1,
            CreateRevision = n,
            ModRevision = n + version,
        };
    }
}
