using FlannelFast.Tests.Fakes;

namespace FlannelFast.Daemon.Tests.Commands;

public sealed class HelpTests : IDisposable
{
    private readonly CommandLineRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("tunnel")]
    [InlineData("peer")]
    [InlineData("peer add")]
    [InlineData("peer del")]
    [InlineData("peer list")]
    [InlineData("status")]
    [InlineData("leases")]
    [InlineData("network")]
    [InlineData("network show")]
    [InlineData("network set")]
    [InlineData("reserve")]
    [InlineData("lab")]
    [InlineData("lab run")]
    [InlineData("lab show")]
    [InlineData("lab compare")]
    [InlineData("lab list")]
    [InlineData("lab clean")]
    [InlineData("docker-opts")]
    [InlineData("version")]
    public async Task Help_shows_defaults_and_an_example(string command)
    {
        string[] words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        (int exitCode, string output, string error) = await _rig.RunAsync([.. words, "--help"]);
        Assert.Equal((0, ""), (exitCode, error));
        Assert.Contains("\nExamples:\n  flannelfast ", output);
        // The library takes the program's name from the process, here that of the tests.
        Golden.Check("Daemon.Tests", string.Join('-', ["help", .. words]), output.Replace(System.CommandLine.RootCommand.ExecutableName, "flannelfast"));
    }

    [Fact]
    public async Task Help_is_given_beside_mistakes()
    {
        (int exitCode, string output, _) = await _rig.RunAsync("tunnel", "--nonsense", "--help");
        Assert.Equal(0, exitCode);
        Assert.Contains("Usage:", output);
    }

    [Fact]
    public async Task Version_is_one_line_or_a_table()
    {
        (int exitCode, string output, _) = await _rig.RunAsync("--version");
        Assert.Equal(0, exitCode);
        Assert.Matches(@"^flannelfast \d+\.\d+\.\d+\n$", output);

        (exitCode, output, _) = await _rig.RunAsync("version");
        Assert.Equal(0, exitCode);
        Assert.Equal(
            ["flannelfast", "revision", "runtime", "framework", "platform", "baseline", "vectors"],
            output.TrimEnd().Split('\n').Select(l => l.Split(' ')[0]));
        Assert.Contains("none: compiled while running", output); // of this process, which is not the native one
        Assert.Equal("avx2,bmi,bmi2,fma,lzcnt,movbe,popcnt", BuildInfo.InstructionSet);
    }
}
