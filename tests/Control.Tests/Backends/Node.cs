using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using FlannelFast.Control.Tests.Netlink;

namespace FlannelFast.Control.Tests.Backends;

/// <summary>
/// A host of its own: one thread in a network namespace of its own, which ends with it, also when the tests are killed. Everything
/// that opens sockets or starts programs there must run on that thread.
/// </summary>
internal sealed partial class Node : IDisposable
{
    private readonly BlockingCollection<Action> _work = [];
    private readonly Thread _thread;
    private readonly TaskCompletionSource<int> _entered = new();

    private Node(int number)
    {
        Number = number;
        _thread = new(Serve) { IsBackground = true, Name = $"node {number}" };
        _thread.Start();
        _entered.Task.GetAwaiter().GetResult();
    }

    /// <summary>1 or 2.</summary>
    internal int Number { get; }

    /// <summary>Its address in the underlay.</summary>
    internal string Address => $"192.0.2.{Number}";

    /// <summary>Its IPv6 address in the underlay.</summary>
    internal string AddressV6 => $"2001:db8::{Number}";

    /// <summary>Two hosts whose eth0 are joined.</summary>
    internal static (Node One, Node Two) CreatePair()
    {
        Node one = new(1), two = new(2);
        int peer = two._entered.Task.Result;
        one.Shell($"ip link add eth0 type veth peer name eth0 netns {peer}");
        foreach (Node node in (Node[])[one, two])
        {
            // Duplicate address detection would change things by itself a second later.
            node.Shell($"""
                echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_dad
                ip address add {node.Address}/24 dev eth0; ip address add {node.AddressV6}/64 dev eth0 nodad; ip link set eth0 up
                """);
        }
        // Carrier comes a moment after both ends are up, and only then IPv6.
        foreach (Node node in (Node[])[one, two])
        {
            const string Settled = "ip link show eth0 | grep -q 'state UP' && test -n \"$(ip -6 address show dev eth0 scope link -tentative)\" && echo yes || echo no";
            Assert.True(SpinWait.SpinUntil(() => node.Shell(Settled) == "yes\n", TimeSpan.FromSeconds(10)), "eth0 has no carrier");
        }
        return (one, two);
    }

    /// <summary>Runs something on the host.</summary>
    internal T Do<T>(Func<T> action)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        using ManualResetEventSlim done = new();
        _work.Add(() =>
        {
            try
            {
                result = action();
            }
#pragma warning disable CA1031 // Thrown again on the caller's thread.
            catch (Exception e)
#pragma warning restore CA1031
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
            done.Set();
        });
        Assert.True(done.Wait(TimeSpan.FromSeconds(60)), "the host did not answer within 60 s");
        failure?.Throw();
        return result;
    }

    /// <inheritdoc cref="Do{T}"/>
    internal void Do(Action action) => Do(() =>
    {
        action();
        return true;
    });

    /// <summary>Has something run on the host, without waiting for it.</summary>
    internal void Post(Action action)
    {
        if (!_work.IsAddingCompleted) _work.Add(action);
    }

    /// <summary>Runs a shell command line on the host; returns what it prints, fails if it fails.</summary>
    internal string Shell(string commands) => Do(() => NetworkNamespace.Shell(commands));

    public void Dispose()
    {
        _work.CompleteAdding();
        Assert.True(_thread.Join(TimeSpan.FromSeconds(30)), "the host did not end");
        _work.Dispose();
    }

    private void Serve()
    {
        try
        {
            NetworkNamespace.Enter();
            _entered.SetResult(gettid());
        }
#pragma warning disable CA1031 // Thrown again by the constructor.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _entered.SetException(e);
            return;
        }
        foreach (Action action in _work.GetConsumingEnumerable()) action();
    }

    [LibraryImport("libc")]
    private static partial int gettid();
}
