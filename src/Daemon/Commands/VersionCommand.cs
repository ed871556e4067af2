using System.CommandLine;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using FlannelFast.Daemon.Rendering;

namespace FlannelFast.Daemon.Commands;

/// <summary><c>flannelfast version</c>: what was built, and what of it this processor runs.</summary>
internal static class VersionCommand
{
    internal static Command Build(CommandContext context, ExamplesHelpAction help)
    {
        var command = new Command("version", "Show the version, the runtime and the instruction set in use");
        command.SetAction(_ =>
        {
            Write(context.Out);
            return ExitCode.Success;
        });
        help.Examples[command] = ["flannelfast version", "flannelfast --version    # one line"];
        return command;
    }

    private static void Write(TextWriter output)
    {
        string baseline = BuildInfo.IsNative && BuildInfo.InstructionSet.Length > 0 ? BuildInfo.InstructionSet
            : BuildInfo.IsNative ? "the architecture's" : "none: compiled while running";
        var table = new TextTable(Column.Left, Column.Left);
        table.Add("flannelfast", BuildInfo.Version);
        table.Add("revision", BuildInfo.Revision ?? "unknown");
        table.Add("runtime", $"{RuntimeInformation.FrameworkDescription}, {(BuildInfo.IsNative ? "compiled ahead of time" : "compiled just in time")}");
        table.Add("framework", BuildInfo.Framework);
        table.Add("platform", RuntimeInformation.RuntimeIdentifier);
        table.Add("baseline", baseline);
        table.Add("vectors", $"Vector256 {OnOff(Vector256.IsHardwareAccelerated)}, Vector512 {OnOff(Vector512.IsHardwareAccelerated)}, AVX2 {OnOff(Avx2.IsSupported)}");
        foreach (string line in table.Lines()) output.WriteLine(line);
    }

    private static string OnOff(bool value) => value ? "on" : "off";
}
