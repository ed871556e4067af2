namespace FlannelFast.Daemon.Flanneld.GoFlags;

/// <summary>Lists flags as Go's FlagSet.PrintDefaults does.</summary>
internal static class GoUsage
{
    internal static void Write(TextWriter output, IEnumerable<GoFlag> flags)
    {
        foreach (GoFlag flag in flags)
        {
            string head = flag.TypeName.Length == 0 ? $"  -{flag.Name}" : $"  -{flag.Name} {flag.TypeName}";
            // Go puts the text of a switch of one letter on the same line.
            output.Write(head.Length <= 4 ? $"{head}\t" : $"{head}\n    \t");
            output.Write(flag.Usage);
            output.Write(flag.DefaultText.Length == 0 ? "\n" : $" (default {flag.DefaultText})\n");
        }
    }
}
