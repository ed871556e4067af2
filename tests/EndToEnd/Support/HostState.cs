namespace FlannelFast.EndToEnd.Support;

/// <summary>Everything in a namespace that FlannelFast may touch: links, addresses, routes of all tables, rules.</summary>
/// <param name="Text">As <c>ip</c> prints it.</param>
internal sealed record HostState(string Text)
{
    /// <summary>Takes a snapshot.</summary>
    public static HostState Of(Netns netns) => new(string.Join('\n', (string[])
    [
        netns.Ip("-d", "link").Output,
        netns.Ip("address").Output,
        netns.Ip("-4", "route", "show", "table", "all").Output,
        netns.Ip("-6", "route", "show", "table", "all").Output,
        netns.Ip("-4", "rule").Output,
        netns.Ip("-6", "rule").Output,
    ]));

    /// <inheritdoc />
    public override string ToString() => Text;

    /// <summary>Demands that nothing has changed; shows the lines that have.</summary>
    public void MustBe(HostState expected)
    {
        string[] before = expected.Text.Split('\n'), now = Text.Split('\n');
        Assert.True(Text == expected.Text, $"gone:\n{string.Join('\n', before.Except(now))}\nnew:\n{string.Join('\n', now.Except(before))}");
    }
}
