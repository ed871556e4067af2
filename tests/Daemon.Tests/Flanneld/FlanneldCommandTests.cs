using FlannelFast.Daemon.Flanneld;
using FlannelFast.Daemon.Tests.Commands;
using FlannelFast.Daemon.Tests.Flanneld.Hosting;

namespace FlannelFast.Daemon.Tests.Flanneld;

public sealed class FlanneldCommandTests : IDisposable
{
    private readonly CommandLineRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Theory]
    [InlineData("flanneld", true)]
    [InlineData("/opt/bin/flanneld", true)]
    [InlineData("./flanneld", true)]
    [InlineData("flannelfast", false)]
    [InlineData("/flanneld/flannelfast", false)]
    public void It_acts_by_the_name_it_is_called(string program, bool isFlanneld) => Assert.Equal(isFlanneld, FlanneldCommand.IsCalled(program));

    [Theory]
    [InlineData("flanneld: \"-nonsense\": expected a flag of flanneld; see \"flanneld -help\"\n", "-nonsense")]
    [InlineData("flanneld: -ip-masq: expected true or false, not \"maybe\"\n", "-ip-masq=maybe")]
    [InlineData("flanneld: -etcd-certfile: expected -etcd-keyfile beside it\n", "-etcd-certfile=/x")]
    public async Task A_wrong_command_line_is_one_line_and_a_code_of_its_own(string message, params string[] words)
    {
        Assert.Equal((2, "", message), await _rig.RunAsync(["flanneld", .. words]));
        Assert.Equal((0, "", message), await _rig.RunAsync(["flanneld", .. words, "--compat-exit-codes"]));
        Assert.Equal((2, "", message), await _rig.RunAsync(["flanneld", .. words, "--compat-exit-codes=false"]));
        _rig.Variables["FLANNELD_COMPAT_EXIT_CODES"] = "true";
        Assert.Equal((0, "", message), await _rig.RunAsync(["flanneld", .. words]));
    }

    [Theory]
    [InlineData("-h")]
    [InlineData("--help")]
    public async Task Help_goes_to_standard_error_with_code_0(string word)
    {
        (int exitCode, string output, string error) = await _rig.RunAsync("flanneld", word);
        Assert.Equal((0, ""), (exitCode, output));
        Assert.StartsWith("Usage: flanneld [OPTION]...\n  -alsologtostderr\n", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task So_does_the_version()
    {
        (int exitCode, string output, string error) = await _rig.RunAsync("flanneld", "--version");
        Assert.Equal((0, ""), (exitCode, output));
        Assert.Matches(@"^v\d+\.\d+\.\d+ \(FlannelFast\)\n$", error);
    }

    [Fact]
    public async Task A_margin_out_of_range_ends_with_1_as_in_stock() =>
        Assert.Equal((1, "", "flanneld: -subnet-lease-renew-margin: expected 1 to 1439 minutes\n"), await _rig.RunAsync("flanneld", "-subnet-lease-renew-margin=1440"));

    [Fact]
    public async Task A_host_that_refuses_is_one_line() =>
        Assert.Equal((1, "", "flanneld: no flanneld here\n"), await _rig.RunAsync("flanneld"));

    [Fact]
    public async Task Status_shows_a_flanneld_for_people_and_as_json()
    {
        using var flanneld = new FlanneldRig();
        flanneld.WriteConfig();
        await flanneld.StartReadyAsync();
        (int exitCode, string text, string error) = await _rig.RunAsync("status", "--socket", flanneld.ControlSocket);
        Assert.Equal((0, ""), (exitCode, error));
        string[] lines = text.Split('\n');
        Assert.Matches(@"^flanneld \d", lines[0]);
        Assert.Matches(@"^state +ready$", lines[1]);
        Assert.Matches(@"^store +directory /\S+/store, read \d s ago$", lines[2]);
        Assert.Matches(@"^network +10\.5\.0\.0/16$", lines[3]);
        Assert.Matches(@"^subnet +10\.5\.\d+\.0/24, lease ends in 23 h 59 min$", lines[4]);
        Assert.Matches(@"^underlay +eth0 192\.0\.2\.1, MTU 1500$", lines[5]);
        Assert.Contains("leases (1)", lines);
        Assert.Contains("this host", text);

        (_, text, _) = await _rig.RunAsync("status", "--json", "--socket", flanneld.ControlSocket);
        using var json = System.Text.Json.JsonDocument.Parse(text);
        Assert.True(json.RootElement.GetProperty("ready").GetBoolean());
        Assert.Equal("192.0.2.1", json.RootElement.GetProperty("leases")[0].GetProperty("public_ip").GetString());
    }
}
