using System.Diagnostics;

namespace FlannelFast.Dataplane.Tests.Packets;

/// <summary>
/// The same tests where the processor has less: 128-bit vectors only (as arm64), and none. The runtime reads the switches at
/// start, so they run in a process of their own.
/// </summary>
public sealed class InternetChecksumFallbackTests
{
    [Theory]
    [InlineData("DOTNET_EnableAVX2")]
    [InlineData("DOTNET_EnableHWIntrinsic")]
    public async Task Sums_are_the_same_without(string instructionSet)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!) { RedirectStandardOutput = true };
        // Under "dotnet test.dll" the process is the host, which wants the assembly first.
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
            start.ArgumentList.Add(typeof(InternetChecksumFallbackTests).Assembly.Location);
        start.ArgumentList.Add("-class");
        start.ArgumentList.Add(typeof(InternetChecksumTests).FullName!);
        start.Environment[instructionSet] = "0";
        using Process process = Process.Start(start)!;
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, output);
        Assert.Contains("Failed: 0", output, StringComparison.Ordinal);
        Assert.DoesNotContain("Total: 0", output, StringComparison.Ordinal);
    }
}
