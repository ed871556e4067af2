using System.Globalization;
using System.Text.RegularExpressions;
using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Published;

/// <summary>The file that build.sh makes.</summary>
public sealed partial class BinaryTests
{
    [Fact]
    public void It_is_small() => Assert.InRange(new FileInfo(Daemon.Binary).Length, 1, 21_000_000);

    /// <summary>One file to copy: it needs the C library and nothing of .NET.</summary>
    [Fact]
    public void It_needs_nothing_but_the_c_library()
    {
        string[] needed = [.. Needed().Matches(Shell.Run("objdump", "-p", Daemon.Binary).Output).Select(m => m.Groups[1].Value)];
        Assert.Contains("libc.so.6", needed);
        Assert.All(needed, library => Assert.Matches(@"^(libc|libm|libdl|libpthread|librt|libz|ld-linux-x86-64|ld-linux-aarch64)\.so", library));
    }

    /// <summary>
    /// Without the chosen instruction set the compiler answers "no" to Vector256.IsHardwareAccelerated once and for all, and
    /// leaves the vector path out: so look for 256-bit additions in the machine code. The checksum is inlined into its callers.
    /// </summary>
    [Theory]
    [InlineData("Engine_PacketWorker.*_IpInUdp")]
    [InlineData("Engine_PacketWorker.*_Vxlan")]
    [InlineData("Packets_Coalescer__HasGoodChecksum")]
    public void Checksums_are_computed_256_bits_at_a_time(string methods)
    {
        int additions = 0;
        foreach (Match symbol in Symbol().Matches(Shell.Run("nm", "-S", "--defined-only", Daemon.Binary + ".dbg").Output))
        {
            if (!Regex.IsMatch(symbol.Groups[3].Value, methods)) continue;
            ulong start = ulong.Parse(symbol.Groups[1].Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            ulong size = ulong.Parse(symbol.Groups[2].Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            string code = Shell.Run("objdump", "-d", $"--start-address={start}", $"--stop-address={start + size}", Daemon.Binary).Output;
            additions += WideAddition().Count(code);
        }
        // Four accumulators in the main loop, and their sum.
        Assert.True(additions >= 4, $"{additions} 256-bit additions in {methods}");
    }

    [GeneratedRegex(@"NEEDED\s+(\S+)")]
    private static partial Regex Needed();

    [GeneratedRegex(@"^([0-9a-f]+) ([0-9a-f]+) [tT] (FlannelFast_\S+)$", RegexOptions.Multiline)]
    private static partial Regex Symbol();

    [GeneratedRegex(@"vpadd[dq]\s.*%ymm")]
    private static partial Regex WideAddition();
}
