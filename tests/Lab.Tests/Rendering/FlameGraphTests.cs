using System.Globalization;
using System.Xml.Linq;
using FlannelFast.Lab.Profiling;
using FlannelFast.Lab.Rendering;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Lab.Tests.Rendering;

public sealed class FlameGraphTests
{
    private static readonly XNamespace s_svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void Boxes_stand_under_their_caller_side_by_side_the_widest_first_and_idle_last()
    {
        IReadOnlyList<FlameBox> boxes = FlameLayout.Arrange(Small(), 100, 0);
        Assert.Equal(
            [
                ("all", 0, 0, 10), ("worker 0", 1, 0, 4), ("b", 2, 0, 3), ("c", 3, 0, 1), ("a", 2, 3, 1), ("swapper", 1, 4, 6), ("do_idle", 2, 4, 6),
            ],
            boxes.Select(b => (b.Frame.Name, b.Depth, b.Left, b.Samples)));
    }

    [Fact]
    public void Every_box_is_inside_its_caller_and_beside_its_siblings()
    {
        CallNode root = Random(seed: 7, samples: 5000);
        IReadOnlyList<FlameBox> boxes = FlameLayout.Arrange(root, int.MaxValue, 0);
        Assert.Equal(root.WithDescendants().Count(), boxes.Count);
        Assert.Equal(root.Total, root.WithDescendants().Sum(n => n.Self));
        var open = new Stack<(FlameBox Box, long Used)>();
        foreach (FlameBox box in boxes)
        {
            while (open.Count > box.Depth) open.Pop();
            if (open.TryPop(out (FlameBox Box, long Used) caller))
            {
                Assert.Equal(caller.Box.Depth + 1, box.Depth);
                Assert.Equal(caller.Box.Left + caller.Used, box.Left);
                Assert.True(caller.Used + box.Samples <= caller.Box.Samples);
                open.Push((caller.Box, caller.Used + box.Samples));
            }
            open.Push((box, 0));
        }
    }

    [Fact]
    public void Too_many_boxes_lose_the_narrowest_and_no_box_its_caller()
    {
        CallNode root = Random(seed: 8, samples: 5000);
        IReadOnlyList<FlameBox> all = FlameLayout.Arrange(root, int.MaxValue, 0), few = FlameLayout.Arrange(root, 100, 0);
        Assert.InRange(few.Count, 50, 100);
        long narrowest = few.Min(b => b.Samples);
        Assert.Equal(all.Where(b => b.Samples >= narrowest), few);
        Assert.All(FlameLayout.Arrange(root, int.MaxValue, 0.01), b => Assert.True(b.Samples >= 50));
    }

    [Fact]
    public void The_picture_has_what_the_script_zooms_by()
    {
        string text = FlameGraph.Draw(Small(), "TCP, 1 stream: <udp>");
        Golden.Check("Lab.Tests", "flamegraph.svg", text);
        XElement svg = XDocument.Parse(text).Root!;
        XElement[] boxes = [.. svg.Elements(s_svg + "g").Single(g => (string?)g.Attribute("id") == "boxes").Elements()];
        Assert.Equal("all: 100.00 %, 10 samples", boxes[0].Element(s_svg + "title")!.Value);
        Assert.Equal((12, 1176), (Number(boxes[0], "x"), Number(boxes[0], "width")));
        // "b" has 3 of 10, from the left edge on; its callee "c" has too.
        Assert.Equal("b: 30.00 %, 3 samples", boxes[2].Element(s_svg + "title")!.Value);
        Assert.Equal((12, 352.8), (Number(boxes[2], "x"), Number(boxes[2], "width")));
        Assert.Equal(Number(boxes[2], "x"), Number(boxes[3], "x"));
        Assert.True(Number(boxes[3], "y") > Number(boxes[2], "y"));
        Assert.Equal("kernel", boxes[2].Element(s_svg + "rect")!.Attribute("class")!.Value);
        // Nothing from elsewhere: namespaces are names, not places.
        Assert.Equal(["http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml", "http://www.w3.org/2000/svg"], text.Split('"', '\'').Where(t => t.StartsWith("http", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_large_profile_is_a_file_of_less_than_300_kB()
    {
        string text = FlameGraph.Draw(Random(seed: 9, samples: 50_000), "large");
        Assert.InRange(text.Length, 50_000, 300_000);
        XDocument.Parse(text);
    }

    private static CallNode Small()
    {
        Frame worker = new("worker 0", FrameKind.Thread), swapper = new("swapper", FrameKind.Thread), a = new("a", FrameKind.Own), b = new("b", FrameKind.Kernel),
            c = new("c", FrameKind.Library), idle = new("do_idle", FrameKind.Idle);
        CallNode root = new(new("all", FrameKind.Thread));
        root.Add([worker, a]);
        root.Add([worker, b]);
        root.Add([worker, b]);
        root.Add([worker, b, c]);
        for (int i = 0; i < 6; i++) root.Add([swapper, idle]);
        return root;
    }

    private static CallNode Random(int seed, int samples)
    {
        Random random = new(seed);
        Frame[] frames = [.. Enumerable.Range(0, 40).Select(i => new Frame(string.Create(CultureInfo.InvariantCulture, $"some_function_of_the_kernel_{i}"), (FrameKind)(i % 5)))];
        CallNode root = new(new("all", FrameKind.Thread));
        for (int i = 0; i < samples; i++) root.Add([.. Enumerable.Range(0, random.Next(2, 40)).Select(_ => frames[(int)(40 * Math.Pow(random.NextDouble(), 3))])]);
        return root;
    }

    private static double Number(XElement box, string name) => double.Parse(box.Element(s_svg + "rect")!.Attribute(name)!.Value, CultureInfo.InvariantCulture);
}
