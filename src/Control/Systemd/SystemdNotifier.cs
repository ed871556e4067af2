using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace FlannelFast.Control.Systemd;

/// <summary>
/// Tells the service manager how the daemon is doing (sd_notify(3)): one datagram of NAME=VALUE lines to the socket named by
/// NOTIFY_SOCKET. Without that variable every call does nothing. A notification that cannot be delivered is not an error of
/// the daemon; the manager has its own deadline.
/// </summary>
internal sealed class SystemdNotifier
{
    private readonly UnixDomainSocketEndPoint? _manager;

    /// <summary>Takes the value of NOTIFY_SOCKET: a path, or a name in the abstract namespace that begins with '@'.</summary>
    internal SystemdNotifier(string? notifySocket)
    {
        if (notifySocket is ['/' or '@', _, ..])
            _manager = new(notifySocket[0] == '@' ? "\0" + notifySocket[1..] : notifySocket);
    }

    /// <summary>Reads the environment and clears the variable, so that no child process can speak in our name.</summary>
    internal static SystemdNotifier FromEnvironment()
    {
        string? socket = Environment.GetEnvironmentVariable("NOTIFY_SOCKET");
        Environment.SetEnvironmentVariable("NOTIFY_SOCKET", null);
        return new(socket);
    }

    /// <summary>
    /// How long the manager waits for <see cref="Watchdog"/> before it kills and restarts (sd_watchdog_enabled(3)); null where it does not, or where
    /// the variables are meant for another process.
    /// </summary>
    /// <param name="variable">Reads the environment.</param>
    internal static TimeSpan? WatchdogInterval(Func<string, string?> variable)
    {
        if (!long.TryParse(variable("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out long microseconds) || microseconds == 0) return null;
        string? owner = variable("WATCHDOG_PID");
        bool isOurs = string.IsNullOrEmpty(owner) || owner == Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        return isOurs ? TimeSpan.FromMicroseconds(microseconds) : null;
    }

    /// <summary>The daemon has come so far that dependents can start.</summary>
    internal bool Ready(string status) => Send($"READY=1\nSTATUS={status}");

    /// <summary>The configuration is being read again. Type=notify-reload wants the time with it, on the clock of systemd.</summary>
    internal bool Reloading() => Send(string.Create(CultureInfo.InvariantCulture, $"RELOADING=1\nMONOTONIC_USEC={Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1_000_000)}"));

    /// <summary>What the daemon is doing, in one line for "systemctl status".</summary>
    internal bool Status(string status) => Send($"STATUS={status}");

    /// <summary>The daemon is alive; see <see cref="WatchdogInterval"/>.</summary>
    internal bool Watchdog() => Send("WATCHDOG=1");

    /// <summary>The daemon is going down.</summary>
    internal bool Stopping() => Send("STOPPING=1");

    private bool Send(string state)
    {
        if (_manager is null) return false;
        try
        {
            using Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
            socket.SendTo(Encoding.UTF8.GetBytes(state), _manager);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
