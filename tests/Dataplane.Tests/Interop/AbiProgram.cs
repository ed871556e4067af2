using System.Globalization;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Dataplane.Tests.Interop;

/// <summary>
/// Writes a C program of static asserts that compiles only if every struct and constant of the Interop folder is what
/// the C headers say. Everything is found by reflection, so what is added later is covered without a change here.
/// </summary>
internal sealed class AbiProgram
{
    private static readonly string[] s_headerFolders = ["arpa", "asm", "linux", "net", "netinet", "netpacket", "sys"];

    private readonly StringBuilder _text = new();

    private AbiProgram()
    {
        _text.AppendLine("#define _GNU_SOURCE");
        _text.AppendLine("#include <stddef.h>");
        _text.AppendLine("#include <errno.h>");
        // The kernel's headers step aside for what glibc has defined already (linux/libc-compat.h), not the other way round.
        foreach (string header in Headers().OrderBy(h => h.StartsWith("linux/", StringComparison.Ordinal)).ThenBy(h => h, StringComparer.Ordinal))
            _text.AppendLine(CultureInfo.InvariantCulture, $"#include <{header}>");
        _text.AppendLine("#include <linux/version.h>");
    }

    /// <summary>The whole of the Interop folder.</summary>
    internal static string ForInterop()
    {
        AbiProgram program = new();
        foreach (Type type in Structs()) program.AddStruct(type);
        foreach (FieldInfo constant in Constants()) program.AddConstant(constant);
        return program._text.ToString();
    }

    /// <summary>The includes and one assertion, to see what the compiler makes of it.</summary>
    internal static string ForAssertion(string condition, string item)
    {
        AbiProgram program = new();
        program.Assert(condition, item);
        return program._text.ToString();
    }

    /// <summary>A struct of another place than the Interop folder, compared with the C struct of the same name.</summary>
    internal static string ForStruct(Type type)
    {
        AbiProgram program = new();
        program.AddStruct(type);
        return program._text.ToString();
    }

    /// <summary>Every struct in the Interop namespace except those listed as having no C twin.</summary>
    internal static IEnumerable<Type> Structs() =>
        from type in typeof(Libc).Assembly.GetTypes()
        where type.Namespace == typeof(Libc).Namespace && type.IsValueType && !type.IsEnum && !type.IsNested
        where !AbiExceptions.NotFromC.ContainsKey(type.Name)
        orderby type.Name
        select type;

    /// <summary>Every static value of Libc and Errno, constant or not, except those listed as having no C twin.</summary>
    internal static IEnumerable<FieldInfo> Constants() =>
        from type in new[] { typeof(Libc), typeof(Errno) }
        from field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
        where !AbiExceptions.NotFromC.ContainsKey(Name(field))
        orderby Name(field)
        select field;

    internal static string Name(FieldInfo field) => $"{field.DeclaringType!.Name}.{field.Name}";

    /// <summary>"Libc.netinet_ip_icmp.cs" stands for netinet/ip_icmp.h.</summary>
    internal static IEnumerable<string> Headers()
    {
        foreach (string path in Directory.EnumerateFiles(SourceTree.PathOf("src", "Dataplane", "Interop"), "Libc.*.cs"))
        {
            string name = Path.GetFileNameWithoutExtension(path)["Libc.".Length..];
            int underscore = name.IndexOf('_', StringComparison.Ordinal);
            yield return underscore > 0 && s_headerFolders.Contains(name[..underscore])
                ? $"{name[..underscore]}/{name[(underscore + 1)..]}.h"
                : $"{name}.h";
        }
    }

    private void AddStruct(Type type)
    {
        string c = $"struct {type.Name}";
        int size = SizeOf(type);
        Assert($"sizeof({c}) == {size}", $"size of {c} is {size} in C#");
        foreach (FieldInfo field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
        {
            // A leading underscore marks padding and parts of unions that are not used: covered by the size.
            if (field.Name.StartsWith('_')) continue;
            long offset = OffsetOf(field);
            int length = SizeOf(field.FieldType);
            Assert($"offsetof({c}, {field.Name}) == {offset}", $"offset of {type.Name}.{field.Name} is {offset} in C#");
            Assert($"sizeof((({c} *)0)->{field.Name}) == {length}", $"size of {type.Name}.{field.Name} is {length} in C#");
        }
    }

    private void AddConstant(FieldInfo field)
    {
        string name = Name(field);
        object value = field.GetValue(null)!;
        if (!AbiExceptions.Expressions.TryGetValue(name, out string? expression)) expression = field.Name;
        string literal = value switch
        {
            byte[] bytes => bytes.Length.ToString(CultureInfo.InvariantCulture) + "LL",
            ulong large => large.ToString(CultureInfo.InvariantCulture) + "ULL",
            IConvertible => Convert.ToInt64(value, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture) + "LL",
            _ => throw new NotSupportedException($"{name} is a {value.GetType().Name}: give AbiExceptions an entry for it"),
        };
        string type = value is ulong ? "unsigned long long" : "long long";
        string item = $"{name} is {(value is byte[] array ? $"{array.Length} bytes long" : value)} in C#";
        if (!AbiExceptions.NewerThanHeaders.TryGetValue(name, out Version? since))
        {
            Assert($"({type})({expression}) == {literal}", item);
            return;
        }
        _text.AppendLine(CultureInfo.InvariantCulture, $"#if defined({field.Name})");
        Assert($"({type})({expression}) == {literal}", item);
        _text.AppendLine(CultureInfo.InvariantCulture, $"#elif LINUX_VERSION_CODE >= KERNEL_VERSION({since.Major}, {since.Minor}, 0)");
        _text.AppendLine(CultureInfo.InvariantCulture, $"#error \"{name} is not in these headers although they are of Linux {since} or later\"");
        _text.AppendLine("#endif");
    }

    private void Assert(string condition, string item) =>
        _text.AppendLine(CultureInfo.InvariantCulture, $"_Static_assert({condition}, \"{item}\");");

    private static int SizeOf(Type type) => type.IsPointer
        ? nint.Size
        : (int)typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf))!.MakeGenericMethod(type).Invoke(null, null)!;

    // Marshal.OffsetOf answers for the marshalled layout; what the kernel sees is the managed one, so the address is taken in IL.
    private static unsafe long OffsetOf(FieldInfo field)
    {
        DynamicMethod addressOf = new("AddressOf", typeof(nint), [typeof(nint)], typeof(Libc).Module, skipVisibility: true);
        ILGenerator il = addressOf.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldflda, field);
        il.Emit(OpCodes.Conv_U);
        il.Emit(OpCodes.Ret);
        void* instance = NativeMemory.AllocZeroed((nuint)SizeOf(field.DeclaringType!));
        try
        {
            return (nint)addressOf.Invoke(null, [(nint)instance])! - (nint)instance;
        }
        finally
        {
            NativeMemory.Free(instance);
        }
    }
}
