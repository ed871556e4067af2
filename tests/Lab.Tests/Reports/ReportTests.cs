using FlannelFast.Lab.Rendering;
using FlannelFast.Lab.Reports;
using FlannelFast.Lab.Statistics;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Lab.Tests.Reports;

public sealed class ReportTests
{
    private const double Tolerance = 0.03;

    [Fact]
    public void Json_has_every_round_and_can_be_read_again()
    {
        LabReport report = MadeUpReport.Create(0.8);
        Golden.Check("Lab.Tests", "report.json", report.ToJson());
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, report.ToJson());
            Assert.Equal(report.ToJson(), LabReport.ReadFile(file).ToJson());
            File.WriteAllText(file, report.ToJson().Replace("\"schema\": 1", "\"schema\": 2", StringComparison.Ordinal));
            Assert.Equal($"{file}: expected schema 1, not 2", Assert.Throws<LabException>(() => LabReport.ReadFile(file)).Message);
            File.WriteAllText(file, "{}");
            Assert.StartsWith($"{file}:1: expected a report of \"flannelfast lab run --json\"", Assert.Throws<LabException>(() => LabReport.ReadFile(file)).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Core_to_core_copy_is_known_where_it_was_measured()
    {
        LabReport report = MadeUpReport.Create(0.8);
        Assert.Equal((3, 5, 7), report.CoreCopy);
        Assert.Null((report with { Measurements = [.. report.Measurements.Select(m => m with { CoreCopyGbPerSecond = null })] }).CoreCopy);
    }

    [Fact]
    public void A_report_of_before_the_later_fields_is_still_read()
    {
        var json = System.Text.Json.Nodes.JsonNode.Parse(MadeUpReport.Create(0.8).ToJson())!.AsObject();
        json.Remove("interrupted");
        json.Remove("relay");
        json.Remove("profiles");
        foreach (string name in new[] { "delay_ms", "reorder_percent", "duplicate_percent" }) json["scenario"]!.AsObject().Remove(name);
        foreach (System.Text.Json.Nodes.JsonNode? measurement in json["measurements"]!.AsArray())
        {
            measurement!.AsObject().Remove("series");
            measurement.AsObject().Remove("core_copy_gb_per_second");
        }
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, json.ToJsonString());
            LabReport now = MadeUpReport.Create(0.8);
            now = now with { Measurements = [.. now.Measurements.Select(m => m with { CoreCopyGbPerSecond = null })] };
            Assert.Equal(now.ToJson(), LabReport.ReadFile(file).ToJson());
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Html_is_one_page_without_references()
    {
        string page = HtmlReport.Create(MadeUpReport.Create(0.8));
        Golden.Check("Lab.Tests", "report.html", page);
        Assert.DoesNotContain("http", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<CPU>", page, StringComparison.Ordinal);
        // The page without its doctype and its two elements that HTML leaves open is well-formed, plots included.
        System.Xml.Linq.XDocument.Parse(page[page.IndexOf("<main>", StringComparison.Ordinal)..page.IndexOf("</body>", StringComparison.Ordinal)]);
    }

    [Fact]
    public void A_profile_is_a_bar_and_a_link_from_where_the_page_is()
    {
        LabReport report = MadeUpReport.Create(0.8) with { Profiles = MadeUpReport.Profiles("/srv/lab/profiles") };
        string page = HtmlReport.Create(report, "/srv/lab/pages/quick.html");
        Assert.Contains("href=\"../profiles/tcp-1.kernel-vxlan.svg\"", page, StringComparison.Ordinal);
        Assert.Contains("href=\"../profiles/tcp-1.udp%23%3C1%3E.svg\"", page, StringComparison.Ordinal);
        Assert.Contains("href=\"/srv/lab/profiles/tcp-1.kernel-vxlan.svg\"", HtmlReport.Create(report), StringComparison.Ordinal);
        Assert.Contains("<rect class=\"kernel\" x=\"12.3%\" y=\"3\" width=\"72.0%\" height=\"16\"/>", page, StringComparison.Ordinal);
        Assert.Contains("writev 17.7, sendmmsg 12.9", page, StringComparison.Ordinal);
        Assert.DoesNotContain("http", page, StringComparison.Ordinal);
        System.Xml.Linq.XDocument.Parse(page[page.IndexOf("<main>", StringComparison.Ordinal)..page.IndexOf("</body>", StringComparison.Ordinal)]);
        Assert.DoesNotContain("Where the time goes", HtmlReport.Create(MadeUpReport.Create(0.8)), StringComparison.Ordinal);
    }

    [Fact]
    public void Ratios_are_taken_within_rounds()
    {
        // The machine loses half its speed from one round to the next; the ratio within rounds stays what it is.
        LabReport report = MadeUpReport.Create(0.5, noise: 0.5, rounds: 4);
        Summary udp = report.Summaries.Single(s => (s.Workload, s.Contender, s.Measure) == ("tcp-1", "udp", MeasureInfo.Throughput));
        Assert.InRange(udp.Ratio!.Median, 0.5, 0.61);
        Assert.Null(report.Summaries.First(s => s.Contender == "kernel-vxlan").Ratio);
        Assert.True(udp.Value.High - udp.Value.Low > udp.Value.Median * 0.4);
    }

    [Fact]
    public void A_loss_of_a_tenth_is_a_regression_and_its_reverse_is_none()
    {
        LabReport before = MadeUpReport.Create(0.8), after = MadeUpReport.Create(0.72);
        IReadOnlyList<ReportChange> changes = ReportComparison.Compare(before, after, Tolerance);
        ReportChange throughput = changes.Single(c => (c.Contender, c.Measure.Name) == ("udp", MeasureInfo.Throughput));
        Assert.Equal(Verdict.Regressed, throughput.Change.Verdict);
        Assert.InRange(throughput.Change.Ratio.Ratio, 0.899, 0.901);
        Assert.True(ReportComparison.IsRegression(throughput, after));
        // A longer round trip and more CPU per byte are worse although the numbers are higher.
        Assert.All(changes.Where(c => c.Contender == "udp"), c => Assert.Equal(Verdict.Regressed, c.Change.Verdict));
        Assert.All(changes.Where(c => c.Contender == "kernel-vxlan"), c => Assert.Equal(Verdict.Unchanged, c.Change.Verdict));
        Assert.DoesNotContain(ReportComparison.Compare(after, before, Tolerance), c => ReportComparison.IsRegression(c, before));
    }

    [Fact]
    public void A_slower_machine_is_no_regression()
    {
        IReadOnlyList<ReportChange> changes = ReportComparison.Compare(MadeUpReport.Create(0.8), MadeUpReport.Create(0.8, machine: 0.6), Tolerance);
        Assert.All(changes.Where(c => c.Contender == "udp"), c => Assert.Equal(Verdict.Unchanged, c.Change.Verdict));
        Assert.Contains(changes, c => c.Contender == "kernel-vxlan" && c.Change.Verdict == Verdict.Regressed);
        Assert.DoesNotContain(changes, c => ReportComparison.IsRegression(c, MadeUpReport.Create(0.8)));
    }

    [Fact]
    public void Too_few_rounds_decide_nothing() =>
        Assert.All(
            ReportComparison.Compare(MadeUpReport.Create(0.8, rounds: 3), MadeUpReport.Create(0.5, rounds: 3), Tolerance),
            c => Assert.Equal(Verdict.Undecided, c.Change.Verdict));

    [Fact]
    public void Different_set_ups_are_not_compared()
    {
        LabReport one = MadeUpReport.Create(0.8);
        LabReport wire = one with { Scenario = one.Scenario with { Underlay = "wire-like" } };
        Assert.Equal(
            "the two reports cannot be compared: underlay is veth in the first and wire-like in the second",
            Assert.Throws<LabException>(() => ReportComparison.Compare(one, wire, Tolerance)).Message);
        Assert.Equal(
            "the two reports have no workload and contender in common",
            Assert.Throws<LabException>(() => ReportComparison.Compare(one, one with { Summaries = [] }, Tolerance)).Message);
    }
}
