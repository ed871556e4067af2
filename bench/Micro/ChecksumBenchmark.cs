using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using FlannelFast.Dataplane.Packets;
using FlannelFast.Dataplane.Tests.Packets;

namespace FlannelFast.Bench.Micro;

/// <summary>The Internet checksum over a header, a segment and a super-packet; summed only, and copied in the same pass.</summary>
public unsafe class ChecksumBenchmark : IValidated
{
    private byte* _source;
    private byte* _target;

    [Params(40, 1_448, 65_535)]
    public int Bytes { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _source = (byte*)NativeMemory.AlignedAlloc(65_536, 64);
        _target = (byte*)NativeMemory.AlignedAlloc(65_536, 64);
        var source = new Span<byte>(_source, Bytes);
        new Random(1).NextBytes(source);
        int expected = SlowChecksum.Sum(source);
        Check(Wire.Swap(InternetChecksum.Fold(Sum())) == expected, "sum");
        Check(Wire.Swap(InternetChecksum.Fold(CopyAndSum())) == expected, "sum while copying");
        Check(source.SequenceEqual(new Span<byte>(_target, Bytes)), "copy");
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        NativeMemory.AlignedFree(_source);
        NativeMemory.AlignedFree(_target);
    }

    [Benchmark(Baseline = true)]
    public ulong Sum() => InternetChecksum.Sum(_source, (nuint)Bytes);

    [Benchmark]
    public ulong CopyAndSum() => InternetChecksum.CopyAndSum(_target, _source, (nuint)Bytes);

    private static void Check(bool right, string what)
    {
        if (!right) throw new InvalidOperationException($"the {what} is wrong");
    }
}
