using System.Diagnostics;
using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Lab;

/// <summary>What "wire-like" promises: no frame on the wire is longer than the MTU, whoever sent it.</summary>
public sealed class WireLikeTests
{
    // Ethernet header and an MTU of 1,500.
    private const int Longest = 1514;

    [Theory]
    [InlineData("wire-like", "pair", false)]
    [InlineData("wire-like", "star:3", false)]
    [InlineData("veth", "pair", true)]
    public async Task Super_packets_are_on_the_wire_only_over_plain_veth(string underlay, string topology, bool expected)
    {
        using Process lab = Shell.Start(
            Daemon.Binary, "lab", "run", "quick", "--only", "tcp-1", "--underlay", underlay, "--topology", topology, "--rounds", "2",
            "--contender", "raw", "--contender", "kernel-vxlan", "--contender", "udp", "--contender", "vxlan");
        for (string? line = ""; !line.StartsWith("payload", StringComparison.Ordinal);)
            line = lab.StandardOutput.ReadLine() ?? throw new InvalidOperationException(lab.StandardError.ReadToEnd());
        // Sent frames are seen behind the segmentation that the device leaves to the kernel (dev_hard_start_xmit).
        string capture = $"timeout -s INT 4 tcpdump -i eth0 -Q out -n -q --immediate-mode -s 96";
        Task<CommandResult> capturesLonger = Capture(lab.Id, $"{capture} -c 20 'greater {Longest + 1}'"), capturesFull = Capture(lab.Id, $"{capture} -c 200 'greater {Longest}'");
        (CommandResult longer, CommandResult full) = (await capturesLonger, await capturesFull);
        Assert.Equal(expected, Frames(longer) > 0);
        // Frames of just that length were there, so the capture did see the traffic.
        Assert.True(Frames(full) == 200, full.ToString());
        await lab.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.True(lab.WaitForExit(TimeSpan.FromSeconds(30)), "the lab does not end");
        Assert.Equal((0, ""), (lab.ExitCode, await lab.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken)));
    }

    private static Task<CommandResult> Capture(int lab, string command) => Task.Run(() => Shell.Try("ip", "netns", "exec", $"fflab-{lab}-node2", "sh", "-c", command));

    private static int Frames(CommandResult capture) => capture.Output.Split('\n').Count(l => l.Contains(" IP", StringComparison.Ordinal));
}
