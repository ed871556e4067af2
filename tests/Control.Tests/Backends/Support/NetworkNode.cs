using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using FlannelFast.Control.Backends;
using FlannelFast.Control.Netlink;
using FlannelFast.Control.Tests.Netlink;

namespace FlannelFast.Control.Tests.Backends.Support;

/// <summary>
/// A host of a test: a thread in a network namespace of its own, on which the test runs what belongs there. Threads and sockets made there stay
/// in the namespace, which ends with the last of them, also when the test is killed.
/// </summary>
internal sealed partial class NetworkNode : IDisposable
{
    private readonly BlockingCollection<Action> _work = [];
    private readonly Thread _thread;
    private readonly int _threadId;

    public NetworkNode()
    {
        using var entered = new ManualResetEventSlim();
        int id = 0;
        ExceptionDispatchInfo? failure = null;
        _thread = new Thread(() =>
        {
            try
            {
                NetworkNamespace.Enter();
                id = gettid();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
            entered.Set();
            foreach (Action action in _work.GetConsumingEnumerable()) action();
        })
        { IsBackground = true };
        _thread.Start();
        entered.Wait();
        failure?.Throw();
        _threadId = id;
    }

    /// <summary>Two hosts on one wire: eth0 is 192.0.2.1/24 and 2001:db8::1/64 at the first, .2 and ::2 at the second.</summary>
    public static (NetworkNode One, NetworkNode Two) Pair()
    {
        NetworkNode one = new(), two = new();
        one.Shell(string.Create(CultureInfo.InvariantCulture, $"ip link add eth0 type veth peer name eth0 netns {two._threadId}"));
        int host = 1;
        foreach (NetworkNode node in (NetworkNode[])[one, two])
        {
            node.Shell($"ip link set eth0 up; ip addr add 192.0.2.{host}/24 dev eth0; ip addr add 2001:db8::{host}/64 dev eth0 nodad");
            host++;
        }
        return (one, two);
    }

    public T Run<T>(Func<T> function)
    {
        var result = new TaskCompletionSource<T>();
        _work.Add(() =>
        {
            try
            {
                result.SetResult(function());
            }
            catch (Exception e)
            {
                result.SetException(e);
            }
        });
        Assert.True(Task.WaitAny([result.Task], TimeSpan.FromSeconds(60)) == 0, "did not end within 60 s");
        return result.Task.GetAwaiter().GetResult();
    }

    public void Run(Action action) => Run(() =>
    {
        action();
        return true;
    });

    /// <inheritdoc cref="NetworkNamespace.Shell"/>
    public string Shell(string commands) => Run(() => NetworkNamespace.Shell(commands));

    /// <summary>The underlay as the daemon would find it.</summary>
    public ExternalInterface External(string address, string? address6 = null) => Run(() =>
    {
        using NetlinkClient netlink = new();
        return Sample.External(netlink.Links.Get("eth0"), address, address6);
    });

    /// <summary>Fails unless an echo comes back within the time.</summary>
    public void MustReach(string address, double seconds = 2)
    {
        string last = "";
        Eventually.True(() =>
        {
            last = Shell($"ping -n -c 1 -W 1 {address} 2>&1 || true");
            return last.Contains(" 0% packet loss", StringComparison.Ordinal);
        }, $"an echo from {address}", seconds);
        Assert.NotEmpty(last);
    }

    public void MustNotReach(string address) =>
        Assert.DoesNotContain(" 0% packet loss", Shell($"ping -n -c 1 -W 1 {address} 2>&1 || true"), StringComparison.Ordinal);

    public void Dispose()
    {
        _work.CompleteAdding();
        _thread.Join();
        _work.Dispose();
    }

    [LibraryImport("libc")]
    private static partial int gettid();
}
