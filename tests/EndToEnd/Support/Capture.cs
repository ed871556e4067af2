using System.Diagnostics;

namespace FlannelFast.EndToEnd.Support;

/// <summary>tcpdump on a node's underlay while a test runs, and tshark's reading of the result.</summary>
internal sealed class Capture : IDisposable
{
    private readonly Process _tcpdump;
    private readonly string _file;

    private Capture(Process tcpdump, string file) => (_tcpdump, _file) = (tcpdump, file);

    /// <summary>Starts it and waits until it listens.</summary>
    /// <param name="nodes">The topology.</param>
    /// <param name="number">The node on whose eth0 to listen; what it sends is seen as it goes to "the wire".</param>
    /// <param name="filter">In the language of pcap-filter(7).</param>
    public static Capture Start(TwoNodes nodes, int number, string filter)
    {
        string file = Path.Combine(nodes.Directory, "capture.pcap");
        // -s 2048: more than any frame of "the wire", and small enough that the buffer holds thousands; larger ones are cut, not lost.
        // --immediate-mode: otherwise the last block of packets stays in the kernel for up to a second.
        // -Z root: tcpdump would give up root and could no longer write where the test keeps its files.
        Process tcpdump = Shell.Start("ip", nodes.Node(number).CommandLine(
            "tcpdump", "-i", "eth0", "-s", "2048", "-B", "65536", "-U", "--immediate-mode", "-Z", "root", "-w", file, filter));
        string? line = tcpdump.StandardError.ReadLine();
        while (line is not null && !line.Contains("listening on", StringComparison.Ordinal)) line = tcpdump.StandardError.ReadLine();
        if (line is null) throw new InvalidOperationException("tcpdump does not start");
        return new(tcpdump, file);
    }

    /// <summary>Ends the capture and lets tshark print these fields, tab-separated, one packet a line.</summary>
    /// <param name="decodeAs">For example "udp.port==8285,ip"; checksums are verified on every layer.</param>
    /// <param name="filter">Display filter; empty for every packet.</param>
    /// <param name="fields">Names of fields; several occurrences in one packet are separated by commas, outermost first.</param>
    public List<string[]> Read(string decodeAs, string filter, params string[] fields)
    {
        if (!_tcpdump.HasExited) Stop();
        string[] show = [.. fields.SelectMany(f => (string[])["-e", f])];
        string output = Shell.Run("tshark", [
            "-r", _file, "-d", decodeAs, "-Y", filter, "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE",
            "-o", "udp.check_checksum:TRUE", "-T", "fields", "-E", "occurrence=a", .. show]).Output;
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split('\t'))];
    }

    /// <summary>Ends tcpdump, which drops what it has not read when it is told to: so it is told when the file has stopped growing.</summary>
    private void Stop()
    {
        for (long size = -1, now = 0; size != now; now = new FileInfo(_file).Length)
        {
            size = now;
            Thread.Sleep(500);
        }
        Native.Kill(_tcpdump.Id, Native.SIGINT);
        string summary = _tcpdump.StandardError.ReadToEnd();
        _tcpdump.WaitForExit();
        if (!summary.Contains("\n0 packets dropped by kernel", StringComparison.Ordinal))
            throw new InvalidOperationException($"the capture is not complete\n{summary}");
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (!_tcpdump.HasExited)
        {
            _tcpdump.Kill();
            _tcpdump.WaitForExit();
        }
        _tcpdump.Dispose();
    }
}
