using System.Globalization;
using System.Text.RegularExpressions;
using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Published;

/// <summary>The file that build.sh makes.</summary>
public sealed partial class BinaryTests
{
    [Fact]
    public void It_is_small()
    {
        long size = new FileInfo(Daemon.Binary).Length;
        Assert.True(size < 15_000_000, $"{size:N0} bytes; the most code is of {Largest(CodeByOrigin())}");
    }

    /// <summary>
    /// Iterators over value types once were a quarter of all code, because the compiler generates each for every result type that occurs
    /// (src/Dataplane/SizeOptimizedEnumerable.cs). What brings them back is an operator that is not replaced there, over tuples or numbers.
    /// </summary>
    [Fact]
    public void Linq_is_a_small_part_of_it()
    {
        long size = CodeByOrigin()["System_Linq"];
        Assert.True(size < 400_000, $"{size:N0} bytes of System.Linq; the most for {Largest(LinqByArguments())}");
    }

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
        foreach ((long start, long size, string name) in Functions())
        {
            if (!name.StartsWith("FlannelFast_", StringComparison.Ordinal) || !Regex.IsMatch(name, methods)) continue;
            string code = Shell.Run("objdump", "-d", $"--start-address={start}", $"--stop-address={start + size}", Daemon.Binary).Output;
            additions += WideAddition().Count(code);
        }
        // Four accumulators in the main loop, and their sum.
        Assert.True(additions >= 4, $"{additions} 256-bit additions in {methods}");
    }

    /// <summary>Bytes by the first two words of the symbol, which is the assembly or the start of its name.</summary>
    private static Dictionary<string, long> CodeByOrigin() => Sum(Functions(), name => string.Join('_', name.Split('_').Take(2)));

    private static Dictionary<string, long> LinqByArguments() =>
        Sum(Functions().Where(f => f.Name.StartsWith("System_Linq_", StringComparison.Ordinal)), name => Arguments().Match(name).Value);

    private static Dictionary<string, long> Sum(IEnumerable<(long Start, long Size, string Name)> functions, Func<string, string> key) =>
        functions.GroupBy(f => key(f.Name)).ToDictionary(g => g.Key, g => g.Sum(f => f.Size));

    private static string Largest(Dictionary<string, long> sizes) =>
        string.Join(", ", sizes.OrderByDescending(s => s.Value).Take(12).Select(s => $"{s.Key} {s.Value:N0}"));

    private static IEnumerable<(long Start, long Size, string Name)> Functions() =>
        from Match symbol in Symbol().Matches(Shell.Run("nm", "-S", "--defined-only", Daemon.Binary + ".dbg").Output)
        select (Hex(symbol.Groups[1]), Hex(symbol.Groups[2]), symbol.Groups[3].Value);

    private static long Hex(Group digits) => long.Parse(digits.ValueSpan, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"NEEDED\s+(\S+)")]
    private static partial Regex Needed();

    [GeneratedRegex(@"^([0-9a-f]+) ([0-9a-f]+) [tT] (\S.*)$", RegexOptions.Multiline)]
    private static partial Regex Symbol();

    [GeneratedRegex("<.*>")]
    private static partial Regex Arguments();

    [GeneratedRegex(@"vpadd[dq]\s.*%ymm")]
    private static partial Regex WideAddition();
}
