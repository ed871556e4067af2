using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FlannelFast.Lab.Hosting;
using FlannelFast.Lab.Topologies;

namespace FlannelFast.Lab.Workloads;

/// <summary>Starts the two ends of a measurement as <c>flannelfast lab-agent</c> inside the nodes.</summary>
internal static class Agents
{
    private static readonly TimeSpan s_startLimit = TimeSpan.FromSeconds(5), s_stopLimit = TimeSpan.FromSeconds(5);

    /// <summary>A sink that is ready. Disposing it ends it.</summary>
    internal sealed class Sink(Child process, IPEndPoint address) : IDisposable
    {
        /// <summary>Where it listens.</summary>
        internal string Address { get; } = address.ToString();

        /// <summary>What it wrote, for a failure at the other end.</summary>
        internal string Log => process.Log;

        public void Dispose() => process.Stop(s_stopLimit);
    }

    /// <summary>Starts a sink and waits until it listens.</summary>
    /// <param name="node">Where.</param>
    /// <param name="role">Which.</param>
    /// <param name="at">Address and port to listen on.</param>
    /// <param name="onLine">Told every line it writes.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <param name="flags">Further flags.</param>
    internal static async Task<Sink> ListenAsync(
        Node node, string role, IPEndPoint at, Action<string>? onLine, CancellationToken cancel, params string[] flags)
    {
        Child process = node.Endpoint.Start(onLine, Self.Path, ["lab-agent", role, "--listen", at.ToString(), .. flags]);
        try
        {
            string line = await process.FirstLineAsync(s_startLimit, cancel).ConfigureAwait(false);
            return line == "listening" ? new(process, at) : throw new LabException($"{role} wrote \"{line}\" instead of \"listening\"");
        }
        catch
        {
            process.Dispose();
            throw;
        }
    }

    /// <summary>Runs a source to its end.</summary>
    /// <param name="node">Where.</param>
    /// <param name="limit">How long it may take at most.</param>
    /// <param name="type">Of its result.</param>
    /// <param name="cancel">Ends it.</param>
    /// <param name="arguments">Role and flags.</param>
    internal static async Task<T> RunAsync<T>(Node node, TimeSpan limit, JsonTypeInfo<T> type, CancellationToken cancel, params string[] arguments)
    {
        using Child process = node.Endpoint.Start(Self.Path, ["lab-agent", .. arguments]);
        string output = await process.ResultAsync(limit, cancel).ConfigureAwait(false);
        try
        {
            return JsonSerializer.Deserialize(output, type) ?? throw new LabException($"{arguments[0]} printed null");
        }
        catch (JsonException e)
        {
            throw new LabException($"{arguments[0]} printed no result ({e.Message}): {output}");
        }
    }

    /// <summary>A number as agents read it.</summary>
    internal static string Format(double number) => number.ToString(CultureInfo.InvariantCulture);
}
