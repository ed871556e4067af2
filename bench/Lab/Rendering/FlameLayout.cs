using FlannelFast.Lab.Profiling;

namespace FlannelFast.Lab.Rendering;

/// <summary>Where the boxes of a flame graph are: each as wide as its samples, above the functions it called, which stand from its left edge on.</summary>
internal static class FlameLayout
{
    /// <summary>Lays out a tree, a caller always before its callees.</summary>
    /// <param name="root">The tree.</param>
    /// <param name="most">How many boxes at most; the narrowest are left out, whose room stays empty.</param>
    /// <param name="leastShare">The narrowest box, as part of the whole.</param>
    internal static IReadOnlyList<FlameBox> Arrange(CallNode root, int most, double leastShare)
    {
        long least = Math.Max(1, (long)Math.Ceiling(root.Total * leastShare));
        var widths = new List<long>();
        foreach (CallNode node in root.WithDescendants())
        {
            if (node.Total >= least) widths.Add(node.Total);
        }
        widths.Sort();
        // Equal ones go together: which of them stays would be chance. No callee is wider than its caller, so no box loses the one above it.
        if (widths.Count > most) least = widths[^(most + 1)] + 1;
        var boxes = new List<FlameBox>();
        Place(boxes, root, 0, 0, least);
        return boxes;
    }

    private static void Place(List<FlameBox> boxes, CallNode node, int depth, long left, long least)
    {
        if (node.Total < least) return;
        boxes.Add(new(node.Frame, depth, left, node.Total));
        foreach (CallNode callee in node.Callees)
        {
            Place(boxes, callee, depth + 1, left, least);
            left += callee.Total;
        }
    }
}
