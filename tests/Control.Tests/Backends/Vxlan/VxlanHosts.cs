using FlannelFast.Control.Backends;
using FlannelFast.Control.Backends.Vxlan;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Control.Tests.Backends.Vxlan;

/// <summary>Two joined hosts for tests of the kernel's vxlan backend, and the backends that run on them.</summary>
public abstract class VxlanHosts : IDisposable
{
    private readonly List<RunningBackend> _running = [];

    protected VxlanHosts() => (One, Two) = Node.CreatePair();

    private protected Node One { get; }

    private protected Node Two { get; }

    private protected static NetworkConfig Plain { get; } = Cluster.Network("""{"Type": "vxlan"}""");

    private protected RunningBackend Start(Node node, NetworkConfig network, ExternalInterface? external = null)
    {
        RunningBackend backend = RunningBackend.Start(node, network, KernelVxlanBackend.Prepare, external);
        _running.Add(backend);
        return backend;
    }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        foreach (RunningBackend backend in _running) backend.Dispose();
        One.Dispose();
        Two.Dispose();
    }
}
