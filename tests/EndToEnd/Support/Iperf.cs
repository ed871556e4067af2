using System.Diagnostics;
using System.Text.Json;

namespace FlannelFast.EndToEnd.Support;

/// <summary>iperf3 from one namespace to another.</summary>
internal static class Iperf
{
    /// <summary>One TCP stream; returns Gbit/s as the receiver counted it.</summary>
    public static double TcpGigabits(Netns from, Netns to, string address, int seconds = 1)
    {
        using JsonDocument client = Run(from, to, address, seconds, "-C", "cubic");
        return client.RootElement.GetProperty("end").GetProperty("sum_received").GetProperty("bits_per_second").GetDouble() / 1e9;
    }

    /// <summary>64-byte datagrams as fast as the sender can; returns how many were sent.</summary>
    public static long UdpFlood(Netns from, Netns to, string address, int seconds = 1)
    {
        using JsonDocument client = Run(from, to, address, seconds, "-u", "-b", "0", "-l", "64");
        return client.RootElement.GetProperty("end").GetProperty("sum").GetProperty("packets").GetInt64();
    }

    private static JsonDocument Run(Netns from, Netns to, string address, int seconds, params string[] more)
    {
        using Process server = Shell.Start("ip", to.CommandLine("iperf3", "-s", "-1"));
        try
        {
            Eventually.True(
                () => to.Run("ss", "-Hltn", "sport = :5201").Output.Length > 0, TimeSpan.FromSeconds(5), () => "iperf3 does not listen");
            return JsonDocument.Parse(from.Run("iperf3", ["-J", "-t", $"{seconds}", "-c", address, .. more]).Output);
        }
        finally
        {
            server.Kill();
            server.WaitForExit();
        }
    }
}
