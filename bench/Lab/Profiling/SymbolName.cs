using System.Text;

namespace FlannelFast.Lab.Profiling;

/// <summary>Makes symbols readable: those of .NET's ahead-of-time compiler, and those to which C compilers added something.</summary>
internal static class SymbolName
{
    private const int Longest = 160;

    // Assembly and namespace stand before the type, all joined by "_" (NodeMangler in dotnet/runtime). "S_P_" is System.Private.
    private static readonly string[] s_assemblies = ["FlannelFast_", "flannelfast_", "S_P_", "System_", "Microsoft_", "Internal_"];

    private static readonly string[] s_suffixes = ["isra", "constprop", "part", "cold", "llvm", "lto_priv"];

    /// <summary>Whether a symbol is one of FlannelFast's own methods.</summary>
    internal static bool IsOwn(ReadOnlySpan<char> symbol) => symbol.Contains("FlannelFast_", StringComparison.Ordinal);

    /// <summary>
    /// <c>Assembly_Namespace_Type_1&lt;…&gt;__Method_0</c> becomes <c>Type.Method</c>: without assembly, namespace, type arguments and the number of the overload. An
    /// asynchronous method's state machine takes the method's name, a lambda that of the method around it. Other symbols stay as they are.
    /// </summary>
    internal static string Readable(string symbol)
    {
        int unboxed = symbol.LastIndexOf("<unbox>", StringComparison.Ordinal);
        string name = unboxed >= 0 ? symbol[(unboxed + "<unbox>".Length)..] : symbol;
        if (name.StartsWith("unbox_", StringComparison.Ordinal)) name = name["unbox_".Length..];
        if (!s_assemblies.Any(a => name.StartsWith(a, StringComparison.Ordinal))) return Clean(WithoutCompilerSuffix(symbol));
        name = WithoutTypeArguments(name);
        int split = name.IndexOf("__", StringComparison.Ordinal);
        if (split <= 0) return Clean(symbol);
        (string type, string method) = (name[..split], name[(split + 2)..]);
        type = WithoutNumbers(type);
        type = type[(type.LastIndexOf('_') + 1)..];
        return Clean(type.Length == 0 || method.Length == 0 ? symbol : $"{type}.{Method(method)}");
    }

    /// <summary>Text from other programs as a frame's name: semicolons divide frames, and XML forbids some characters.</summary>
    internal static string Clean(ReadOnlySpan<char> text)
    {
        var clean = new StringBuilder();
        foreach (char c in text.Length > Longest ? text[..Longest] : text) clean.Append(c == ';' ? ':' : IsUnfit(c) ? '?' : c);
        return text.Length > Longest ? clean.Append('…').ToString() : clean.ToString();
    }

    // Beside control characters halves of surrogate pairs, U+FFFE and U+FFFF (XML 1.0, production 2).
    private static bool IsUnfit(char c) => char.IsControl(c) || char.IsSurrogate(c) || c >= '\ufffe';

    private static string Method(string mangled)
    {
        // "_Method_d__7__MoveNext_0"
        int machine = mangled.IndexOf("_d__", StringComparison.Ordinal);
        if (machine > 0 && WithoutNumbers(mangled).EndsWith("__MoveNext", StringComparison.Ordinal)) return mangled[..machine].TrimStart('_');
        // "_c__DisplayClass7_0___Method_b__3", "_c___Method_b__7_0"
        int lambda = mangled.IndexOf("_b__", StringComparison.Ordinal), around = mangled.IndexOf("___", StringComparison.Ordinal);
        if (mangled.StartsWith("_c_", StringComparison.Ordinal) && around > 0 && lambda > around + 3) return $"{Constructor(mangled[(around + 3)..lambda])}.lambda";
        // "_Method_g__Local_7_0"
        int local = mangled.IndexOf("_g__", StringComparison.Ordinal);
        if (local > 0 && mangled[0] == '_' && char.IsAsciiDigit(mangled[^1])) return $"{mangled[..local].TrimStart('_')}.{WithoutNumbers(mangled[(local + 4)..].TrimStart('_'))}";
        // An explicit implementation has the interface before it.
        int last = mangled.LastIndexOf("__", StringComparison.Ordinal);
        string method = WithoutNumbers(last > 0 && last + 2 < mangled.Length ? mangled[(last + 2)..] : mangled);
        return Constructor(method.Length > 0 ? method : mangled);
    }

    private static string Constructor(string method) => method is "_ctor" or "_cctor" ? method[1..] : method;

    private static string WithoutTypeArguments(string name)
    {
        var kept = new StringBuilder(name.Length);
        int depth = 0;
        foreach (char c in name)
        {
            if (c == '<') depth++;
            else if (c == '>' && depth > 0) depth--;
            else if (depth == 0) kept.Append(c);
        }
        return kept.ToString();
    }

    /// <summary>Without "_1_0" at its end: the arity of a generic type, or which of several overloads it is.</summary>
    private static string WithoutNumbers(string name)
    {
        for (int end = name.Length; ;)
        {
            int digits = end;
            while (digits > 0 && char.IsAsciiDigit(name[digits - 1])) digits--;
            if (digits == end || digits == 0 || name[digits - 1] != '_') return name[..end];
            end = digits - 1;
        }
    }

    /// <summary>Without ".isra.0", ".constprop.0.isra.1" and the like at its end.</summary>
    private static string WithoutCompilerSuffix(string symbol)
    {
        int end = symbol.Length;
        for (int dot = end; (dot = symbol.LastIndexOf('.', dot - 1, dot)) > 0;)
        {
            ReadOnlySpan<char> part = symbol.AsSpan(dot + 1, end - dot - 1);
            int number = part.IndexOf('.');
            ReadOnlySpan<char> word = number < 0 ? part : part[..number];
            if (word.Length > 0 && !word.ContainsAnyExceptInRange('0', '9')) continue;
            if (!s_suffixes.Contains(word.ToString())) break;
            end = dot;
        }
        return symbol[..end];
    }
}
