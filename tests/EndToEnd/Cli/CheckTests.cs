using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Cli;

/// <summary><c>--check</c>, help and version.</summary>
public sealed class CheckTests
{
    [Theory, InlineData("udp"), InlineData("vxlan")]
    public void Check_validates_and_touches_nothing(string encap)
    {
        using TwoNodes nodes = TwoNodes.Create();
        HostState before = HostState.Of(nodes.One);
        nodes.One.Run(Daemon.Binary, ["tunnel", .. nodes.TunnelFlags(1, encap), "--check"]);
        HostState.Of(nodes.One).MustBe(before);
        Assert.False(File.Exists(nodes.SocketPath(1)));
    }

    /// <summary>It must be possible where the file is written: no rights, no device, no such address.</summary>
    [Fact]
    public void Check_needs_no_rights()
    {
        using TwoNodes nodes = TwoNodes.Create();
        nodes.One.Run("setpriv", ["--bounding-set", "-all", "--inh-caps", "-all", Daemon.Binary, "tunnel", .. nodes.TunnelFlags(1, "udp"), "--check"]);
    }

    [Fact]
    public void Missing_rights_get_one_line()
    {
        using TwoNodes nodes = TwoNodes.Create();
        CommandResult result = nodes.One.Try(
            "setpriv", ["--bounding-set", "-all", "--inh-caps", "-all", "timeout", "2", Daemon.Binary, "tunnel", .. nodes.TunnelFlags(1, "udp")]);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("CAP_NET_ADMIN", Assert.Single(result.ErrorLines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("tunnel", "--help")]
    [InlineData("peer", "--help")]
    [InlineData("peer", "add", "--help")]
    [InlineData("peer", "del", "--help")]
    [InlineData("peer", "list", "--help")]
    [InlineData("status", "--help")]
    [InlineData("lab", "run", "--help")]
    [InlineData("lab", "compare", "--help")]
    public void Every_command_explains_itself_with_an_example(params string[] arguments)
    {
        CommandResult help = Daemon.Command(arguments).OrThrow();
        Assert.Contains("xample", help.Output, StringComparison.Ordinal);
        Assert.Contains("flannelfast ", help.Output, StringComparison.Ordinal);
        Assert.Equal("", help.Error);
    }

    /// <summary>The runtime's console streams would begin with a switch of the keypad's mode.</summary>
    [Theory, InlineData("version"), InlineData("nonsense")]
    public void A_terminal_gets_the_text_and_nothing_before_it(string argument)
    {
        CommandResult plain = Daemon.Command(argument);
        CommandResult terminal = Shell.Try("env", "TERM=xterm-256color", "script", "-qec", $"{Daemon.Binary} {argument}", "/dev/null");
        Assert.Equal(plain.ExitCode, terminal.ExitCode);
        Assert.Equal(plain.Output + plain.Error, terminal.Output.ReplaceLineEndings("\n"));
    }

    [Fact]
    public void The_help_of_tunnel_shows_defaults()
    {
        string help = Daemon.Command("tunnel", "--help").OrThrow().Output;
        foreach (string text in (string[])["8285", "8472", "--source-check", "strict", "--queues"]) Assert.Contains(text, help, StringComparison.Ordinal);
    }

    [Fact]
    public void Version_names_the_framework_and_the_instruction_baseline()
    {
        string version = Daemon.Command("version").OrThrow().Output;
        Assert.Matches(@"\d+\.\d+\.\d+", version);
        Assert.Matches("(?i)net(9|10)\\.0|\\.NET (9|10)", version);
        Assert.Contains("avx2", version, StringComparison.OrdinalIgnoreCase);
    }
}
