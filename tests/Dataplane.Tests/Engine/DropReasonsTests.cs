using System.Text.RegularExpressions;
using FlannelFast.Dataplane.Engine;

namespace FlannelFast.Dataplane.Tests.Engine;

public sealed partial class DropReasonsTests
{
    [Fact]
    public void Every_reason_has_one_row_in_the_order_of_the_enum() =>
        Assert.Equal(Enum.GetValues<DropReason>().Except([DropReason.None]), DropReasons.All.Select(row => row.Reason));

    [Fact]
    public void Counters_have_a_place_for_every_reason() =>
        Assert.Equal(DropReasons.Count, Enum.GetValues<DropReason>().Length);

    [Fact]
    public void Names_are_unique_and_fit_metrics()
    {
        Assert.Equal(DropReasons.All.Count, DropReasons.All.Select(row => row.Name).Distinct().Count());
        Assert.All(DropReasons.All, row => Assert.Matches("^[a-z][a-z0-9_]+$", row.Name));
        Assert.All(DropReasons.All, row => Assert.EndsWith(".", row.Description, StringComparison.Ordinal));
    }

    [Fact]
    public void The_documentation_has_the_same_table()
    {
        string text = File.ReadAllText(SourceTree.PathOf("docs", "hot-path.md"));
        var documented = Row().Matches(text[text.IndexOf("## Drop reasons", StringComparison.Ordinal)..])
            .Select(match => (match.Groups[1].Value, match.Groups[2].Value));
        Assert.Equal(DropReasons.All.Select(row => (row.Name, row.Description)), documented);
    }

    [GeneratedRegex(@"^\| `(\w+)` \| (.+) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
