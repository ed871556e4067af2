using FlannelFast.Lab.Tests.Reports;

namespace FlannelFast.Daemon.Tests.Commands;

public sealed class LabCommandTests : IDisposable
{
    private readonly CommandLineRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Theory]
    [InlineData("expected either the name of a scenario (fairness, mixed, peers, quick, stability, standard) or --scenario FILE", "run")]
    [InlineData("no scenario \"fast\"; there are fairness, mixed, peers, quick, stability, standard, and --scenario FILE", "run", "fast")]
    [InlineData("--topology: expected pair, star:N with 2 to 64 nodes, or pods, not \"ring\"", "run", "quick", "--topology", "ring")]
    [InlineData("/nowhere/x.json: there is no directory /nowhere", "run", "quick", "--json", "/nowhere/x.json")]
    [InlineData("--tolerance: expected a number from 0 to 50, not 99", "compare", "a", "b", "--tolerance", "99")]
    public async Task What_is_wrong_is_said_before_anything_is_made(string message, params string[] arguments)
    {
        (int exitCode, string output, string error) = await _rig.RunAsync(["lab", .. arguments]);
        Assert.Equal((ExitCode.BadInput, "", $"flannelfast: {message}\n"), (exitCode, output, error));
    }

    [Fact]
    public async Task Compare_exits_with_1_on_a_regression_only()
    {
        string fast = _rig.Files["fast.json"], slow = _rig.Files["slow.json"];
        File.WriteAllText(fast, MadeUpReport.Create(0.8).ToJson());
        File.WriteAllText(slow, MadeUpReport.Create(0.7).ToJson());
        (int exitCode, string output, _) = await _rig.RunAsync("lab", "compare", fast, slow);
        Assert.Equal(ExitCode.Failure, exitCode);
        Assert.Contains("WORSE", output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Success, (await _rig.RunAsync("lab", "compare", slow, fast)).ExitCode);
        Assert.Equal(ExitCode.Success, (await _rig.RunAsync("lab", "compare", fast, slow, "--tolerance", "20")).ExitCode);
    }

    [Fact]
    public async Task A_report_is_shown_again_as_tables_or_as_a_page()
    {
        string json = _rig.Files["r.json"], html = _rig.Files["r.html"];
        File.WriteAllText(json, MadeUpReport.Create(0.8).ToJson());
        (int exitCode, string output, _) = await _rig.RunAsync("lab", "show", json);
        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Contains("TCP, 1 stream, cubic", output, StringComparison.Ordinal);
        Assert.Equal((ExitCode.Success, "", ""), await _rig.RunAsync("lab", "show", json, "--html", html));
        Assert.Equal(FlannelFast.Lab.Rendering.HtmlReport.Create(MadeUpReport.Create(0.8)), File.ReadAllText(html));
        Assert.Equal(ExitCode.BadInput, (await _rig.RunAsync("lab", "show", html)).ExitCode);
    }

    [Fact]
    public async Task List_prints_a_scenario_that_run_reads()
    {
        (int exitCode, string output, _) = await _rig.RunAsync("lab", "list", "quick");
        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Equal("quick", FlannelFast.Lab.Scenarios.ScenarioReader.Read("list", System.Text.Encoding.UTF8.GetBytes(output)).Name);
    }
}
