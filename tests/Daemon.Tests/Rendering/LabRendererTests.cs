using FlannelFast.Daemon.Rendering;
using FlannelFast.Lab.Reports;
using FlannelFast.Lab.Tests.Reports;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Daemon.Tests.Rendering;

public sealed class LabRendererTests
{
    [Fact]
    public void A_report_is_a_table_per_workload()
    {
        using StringWriter output = new();
        LabReport report = MadeUpReport.Create(0.8);
        LabRenderer.WriteReport(output, report with { Failures = [new("rtt", "udp", 2, "it did not answer")] }, new TerminalStyle(false));
        Golden.Check("Daemon.Tests", "lab-report", output.ToString());
    }

    [Fact]
    public void Profiles_are_a_table_after_what_it_cost()
    {
        using StringWriter output = new();
        LabRenderer.WriteReport(output, MadeUpReport.Create(0.8) with { Profiles = MadeUpReport.Profiles("profiles") }, new TerminalStyle(false));
        Golden.Check("Daemon.Tests", "lab-report-profiles", output.ToString());
    }

    [Fact]
    public void A_comparison_shows_what_changed()
    {
        using StringWriter output = new();
        LabReport before = MadeUpReport.Create(0.8), after = MadeUpReport.Create(0.7, machine: 0.9);
        LabRenderer.WriteChanges(output, before, after, ReportComparison.Compare(before, after, 0.03), new TerminalStyle(false));
        Golden.Check("Daemon.Tests", "lab-compare", output.ToString());
    }

    [Fact]
    public void Progress_is_plain_lines_unless_it_is_live()
    {
        using StringWriter plain = new(), live = new();
        Measurement measurement = MadeUpReport.Create(0.8).Measurements[2];
        foreach (StringWriter output in new[] { plain, live })
        {
            var progress = new LabProgress(output, new TerminalStyle(false), isLive: output == live, "quick");
            progress.Doing("round 1");
            progress.Measured(measurement);
            progress.Doing("round 2");
            progress.Notice("done");
        }
        Assert.Equal("round 1  tcp-1              udp              7.93 Gb/s\ndone\n", plain.ToString());
        Assert.Equal("\r\e[Kquick · round 1\r\e[Kquick · round 2   udp: 7.93 Gb/s\r\e[Kdone\n", live.ToString());
    }
}
