using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using FlannelFast.Lab.Traffic;

namespace FlannelFast.Lab.Tests.Traffic;

/// <summary>A sink on its own thread and sources that talk to it over loopback.</summary>
internal sealed class AgentPair : IDisposable
{
    private readonly StopSignal _stop = new();
    private readonly SignallingWriter _output = new();
    private readonly StringWriter _error = new();
    private readonly Thread _thread;
    private int _exitCode = -1;

    internal AgentPair(string sink, string address = "127.0.0.1")
    {
        EndPoint = new IPEndPoint(IPAddress.Parse(address), FreePort(IPAddress.Parse(address)));
        _thread = new Thread(() => _exitCode = LabAgent.Run([sink, "--listen", EndPoint.ToString()], _output, _error, _stop));
        _thread.Start();
        Assert.True(_output.FirstLine.Wait(TimeSpan.FromSeconds(10)), "the sink does not listen");
    }

    internal IPEndPoint EndPoint { get; }

    /// <summary>Runs a source to its end; its JSON.</summary>
    internal JsonElement Source(string role, params string[] flags)
    {
        (int code, string output, string error) = Agent([role, "--to", EndPoint.ToString(), .. flags]);
        Assert.Equal("", error);
        Assert.Equal(LabAgent.Success, code);
        return Parse(output, role);
    }

    /// <summary>Stops the sink; its JSON.</summary>
    internal JsonElement Stop(string role)
    {
        _stop.Set();
        Assert.True(_thread.Join(TimeSpan.FromSeconds(10)), "the sink does not stop");
        Assert.Equal("", _error.ToString());
        Assert.Equal(LabAgent.Success, _exitCode);
        string[] lines = _output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.Equal("listening", lines[0]);
        return Parse(lines[1], role);
    }

    internal static (int Code, string Output, string Error) Agent(string[] args)
    {
        using StringWriter output = new(), error = new();
        using StopSignal stop = new();
        int code = LabAgent.Run(args, output, error, stop);
        return (code, output.ToString(), error.ToString());
    }

    internal static int FreePort(IPAddress address)
    {
        using Socket socket = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(address, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    public void Dispose()
    {
        _stop.Set();
        _thread.Join(TimeSpan.FromSeconds(10));
    }

    private static JsonElement Parse(string text, string role)
    {
        JsonElement json = JsonDocument.Parse(text).RootElement;
        Assert.Equal(1, json.GetProperty("schema").GetInt32());
        Assert.Equal(role, json.GetProperty("role").GetString());
        return json;
    }

    private sealed class SignallingWriter : StringWriter
    {
        internal ManualResetEventSlim FirstLine { get; } = new();

        public override void Flush() => FirstLine.Set();
    }
}
