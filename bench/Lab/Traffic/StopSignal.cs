using System.Runtime.InteropServices;

namespace FlannelFast.Lab.Traffic;

/// <summary>Whether SIGTERM or SIGINT asked for the end. Every wait of a role is cut into pieces of 100 ms and looks at it in between.</summary>
internal sealed class StopSignal : IDisposable
{
    private readonly List<PosixSignalRegistration> _registrations = [];
    private volatile bool _isSet;

    /// <summary>The end was asked for.</summary>
    internal bool IsSet => _isSet;

    /// <summary>Takes over the two signals of this process until disposed.</summary>
    internal static StopSignal Register()
    {
        var stop = new StopSignal();
        foreach (PosixSignal signal in new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT })
        {
            stop._registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                stop.Set();
            }));
        }
        return stop;
    }

    internal void Set() => _isSet = true;

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations) registration.Dispose();
    }
}
