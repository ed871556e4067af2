namespace FlannelFast.Lab.Profiling;

/// <summary>Frames by what perf prints of them: a profile has a few thousand different ones in hundreds of thousands of lines.</summary>
internal sealed class FrameTable
{
    private const string Unknown = "[unknown]";

    private readonly Dictionary<string, Frame> _kernel = [], _user = [], _idle = [], _threads = [];

    /// <summary>The frame of a line.</summary>
    /// <param name="address">Of the instruction.</param>
    /// <param name="text">Symbol, and in parentheses the file it is from.</param>
    internal Frame Code(ulong address, ReadOnlySpan<char> text)
    {
        // The kernel's half of the address space, on every 64-bit Linux; by its name a module could not be told from a program.
        bool isKernel = (long)address < 0;
        Dictionary<string, Frame>.AlternateLookup<ReadOnlySpan<char>> known = (isKernel ? _kernel : _user).GetAlternateLookup<ReadOnlySpan<char>>();
        if (known.TryGetValue(text, out Frame? frame)) return frame;
        (string symbol, string file) = Split(text);
        bool isOwn = !isKernel && (symbol == Unknown ? file.StartsWith("flannelfast", StringComparison.Ordinal) : SymbolName.IsOwn(symbol));
        string name = symbol != Unknown ? SymbolName.Readable(symbol) : file is "" or Unknown ? Unknown : SymbolName.Clean($"[{file.Trim('[', ']')}]");
        frame = new(name, isKernel ? FrameKind.Kernel : isOwn ? FrameKind.Own : FrameKind.Library);
        known[text] = frame;
        return frame;
    }

    /// <summary>A function of the kernel as part of its idle loop.</summary>
    internal Frame Idle(Frame kernel)
    {
        if (!_idle.TryGetValue(kernel.Name, out Frame? frame)) _idle.Add(kernel.Name, frame = kernel with { Kind = FrameKind.Idle });
        return frame;
    }

    /// <summary>A thread by its name, which it chooses itself (up to 15 bytes of anything).</summary>
    internal Frame Thread(string name)
    {
        if (!_threads.TryGetValue(name, out Frame? frame)) _threads.Add(name, frame = new(name.Length == 0 ? "[unnamed]" : SymbolName.Clean(name), FrameKind.Thread));
        return frame;
    }

    // "symbol (file)". A symbol of C++ has parentheses of its own, and a deleted file is "(path (deleted))".
    private static (string Symbol, string File) Split(ReadOnlySpan<char> text)
    {
        int open = text.Length - 1;
        if (open > 0 && text[open] == ')')
        {
            for (int depth = 0; open >= 0; open--)
            {
                if (text[open] == ')') depth++;
                else if (text[open] == '(' && --depth == 0) break;
            }
            // A path may have a parenthesis that nothing answers.
            if (open <= 0 || text[open - 1] != ' ') open = text.LastIndexOf(" (") + 1;
            if (open > 0)
            {
                ReadOnlySpan<char> file = text[(open + 1)..^1];
                if (file.EndsWith(" (deleted)")) file = file[..^" (deleted)".Length];
                ReadOnlySpan<char> symbol = text[..open].Trim();
                return (symbol.Length == 0 ? Unknown : symbol.ToString(), file[(file.LastIndexOf('/') + 1)..].ToString());
            }
        }
        ReadOnlySpan<char> alone = text.Trim();
        return (alone.Length == 0 ? Unknown : alone.ToString(), "");
    }
}
