using System.Text;
using System.Text.RegularExpressions;

namespace FlannelFast.Lab.Profiling;

/// <summary>Makes symbols readable: those of .NET's ahead-of-time compiler, and those to which C compilers added something.</summary>
internal static partial class SymbolName
{
    private const int Longest = 160;

    // Assembly and namespace stand before the type, all joined by "_" (NodeMangler in dotnet/runtime). "S_P_" is System.Private.
    private static readonly string[] s_assemblies = ["FlannelFast_", "flannelfast_", "S_P_", "System_", "Microsoft_", "Internal_"];

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
        if (!s_assemblies.Any(a => name.StartsWith(a, StringComparison.Ordinal))) return Clean(CompilerSuffix().Replace(symbol, ""));
        name = WithoutTypeArguments(name);
        int split = name.IndexOf("__", StringComparison.Ordinal);
        if (split <= 0) return Clean(symbol);
        (string type, string method) = (name[..split], name[(split + 2)..]);
        type = Number().Replace(type, "");
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
        if (StateMachine().Match(mangled) is { Success: true } machine) return machine.Groups["method"].Value;
        if (Lambda().Match(mangled) is { Success: true } lambda) return $"{Constructor(lambda.Groups["method"].Value)}.lambda";
        if (LocalFunction().Match(mangled) is { Success: true } local) return $"{local.Groups["method"].Value}.{local.Groups["local"].Value}";
        // An explicit implementation has the interface before it.
        int last = mangled.LastIndexOf("__", StringComparison.Ordinal);
        string method = Number().Replace(last > 0 && last + 2 < mangled.Length ? mangled[(last + 2)..] : mangled, "");
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

    // The arity of a generic type, or which of several overloads it is.
    [GeneratedRegex(@"(_\d+)+$")]
    private static partial Regex Number();

    [GeneratedRegex(@"^_*(?<method>\w+?)_d__\d+(_\d+)?__MoveNext(_\d+)?$")]
    private static partial Regex StateMachine();

    [GeneratedRegex(@"^(_c__DisplayClass\d+_\d+|_c)(_\d+)?___(?<method>\w+?)_b__[\d_]+$")]
    private static partial Regex Lambda();

    [GeneratedRegex(@"^_+(?<method>\w+?)_g__+(?<local>\w+?)_\d+_\d+$")]
    private static partial Regex LocalFunction();

    [GeneratedRegex(@"(\.(isra|constprop|part|cold|llvm|lto_priv)(\.\d+)*)+$")]
    private static partial Regex CompilerSuffix();
}
