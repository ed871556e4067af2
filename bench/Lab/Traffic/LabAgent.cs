using System.Text.Json;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Lab.Traffic;

/// <summary>
/// <c>flannelfast lab-agent ROLE …</c>: one end of a measurement, run by the lab inside a network namespace. Prints one JSON object
/// on one line at its end; a sink prints "listening" before, on a line of its own, once a source may start.
/// </summary>
internal static class LabAgent
{
    /// <summary>The measurement was done.</summary>
    internal const int Success = 0;

    /// <summary>The peer or the kernel refused; one line on the error output.</summary>
    internal const int Failure = 1;

    /// <summary>The arguments are wrong; one line on the error output.</summary>
    internal const int BadInput = 2;

    private static readonly Dictionary<string, Func<AgentContext, AgentResult>> s_roles = new()
    {
        ["tcp-sink"] = TcpSink.Run,
        ["tcp-source"] = TcpSource.Run,
        ["udp-sink"] = UdpSink.Run,
        ["udp-source"] = UdpSource.Run,
        ["rtt-echo"] = RttEcho.Run,
        ["rtt-probe"] = RttProbe.Run,
        ["connect-sink"] = ConnectSink.Run,
        ["connect-source"] = ConnectSource.Run,
        ["hash-sink"] = HashSink.Run,
        ["hash-source"] = HashSource.Run,
        ["relay"] = Relay.Run,
        ["bare"] = BareTunnel.Run,
    };

    /// <summary>Runs a role to its end or until SIGTERM or SIGINT.</summary>
    /// <param name="args">The role and its flags.</param>
    /// <param name="output">Takes "listening" and the result.</param>
    /// <param name="error">Takes one line if it fails.</param>
    /// <returns>0, 1 or 2.</returns>
    internal static int Run(string[] args, TextWriter output, TextWriter error)
    {
        using StopSignal stop = StopSignal.Register();
        // In a profile, and in top, the ends of a measurement would all be called "exe" otherwise.
        if (args is [var role, ..]) Libc.NameThread(role);
        return Run(args, output, error, stop);
    }

    /// <summary>The same with a stop signal of the caller's.</summary>
    internal static int Run(string[] args, TextWriter output, TextWriter error, StopSignal stop)
    {
        try
        {
            if (args is not [var name, ..] || !s_roles.TryGetValue(name, out Func<AgentContext, AgentResult>? role))
                throw new AgentUsageException($"expected a role: one of {string.Join(", ", s_roles.Keys)}");
            AgentContext context = new(new AgentArguments(name, args.AsSpan(1)), output, stop);
            AgentResult result = role(context);
            output.WriteLine(JsonSerializer.Serialize(result, result.GetType(), AgentJsonContext.Default));
            output.Flush();
            return Success;
        }
        catch (AgentUsageException problem)
        {
            error.WriteLine($"flannelfast lab-agent: {problem.Message}");
            return BadInput;
        }
        catch (Exception problem) when (problem is AgentException or IOException)
        {
            error.WriteLine($"flannelfast lab-agent {args[0]}: {problem.Message}");
            return Failure;
        }
    }
}
