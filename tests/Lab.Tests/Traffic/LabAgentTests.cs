using System.Diagnostics;
using System.Net;
using System.Text.Json;
using FlannelFast.Lab.Traffic;

namespace FlannelFast.Lab.Tests.Traffic;

public sealed class LabAgentTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void Tcp_source_reports_what_the_sink_received(string address)
    {
        using AgentPair pair = new("tcp-sink", address);
        JsonElement first = pair.Source("tcp-source", "--streams", "2", "--seconds", "0.3", "--congestion", "reno");
        JsonElement forward = first.GetProperty("forward");
        Assert.Equal("reno", first.GetProperty("congestion").GetString());
        Assert.Equal(forward.GetProperty("bytes_sent").GetInt64(), forward.GetProperty("bytes_received").GetInt64());
        Assert.InRange(forward.GetProperty("bytes_received").GetInt64(), 1_000_000, long.MaxValue);
        Assert.False(first.TryGetProperty("reverse", out _));
        double rate = forward.GetProperty("bytes_received").GetInt64() * 8e9 / forward.GetProperty("elapsed_ns").GetInt64();
        Assert.Equal(rate, forward.GetProperty("bits_per_second").GetDouble(), rate * 1e-9);

        JsonElement second = pair.Source("tcp-source", "--seconds", "0.3", "--bidirectional");
        JsonElement reverse = second.GetProperty("reverse");
        Assert.Equal(reverse.GetProperty("bytes_sent").GetInt64(), reverse.GetProperty("bytes_received").GetInt64());
        Assert.InRange(reverse.GetProperty("bits_per_second").GetDouble(), 1e6, 1e13);

        JsonElement sink = pair.Stop("tcp-sink");
        Assert.Equal(2, sink.GetProperty("runs").GetInt32());
        long received = forward.GetProperty("bytes_received").GetInt64() + second.GetProperty("forward").GetProperty("bytes_received").GetInt64();
        Assert.Equal(received, sink.GetProperty("forward").GetProperty("bytes_received").GetInt64());
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void Udp_source_paces_and_reports_delivery(string address)
    {
        using AgentPair pair = new("udp-sink", address);
        JsonElement paced = pair.Source("udp-source", "--size", "64", "--rate", "2000", "--seconds", "0.5");
        long sent = paced.GetProperty("sent").GetInt64(), skipped = paced.GetProperty("skipped").GetInt64();
        Assert.InRange(sent + skipped, 900, 1001);
        Assert.Equal(sent, paced.GetProperty("delivered").GetInt64() + paced.GetProperty("lost").GetInt64());
        Assert.Equal(0, paced.GetProperty("loss").GetDouble());

        JsonElement flood = pair.Source("udp-source", "--size", "1400", "--flood", "--seconds", "0.2");
        Assert.False(flood.TryGetProperty("rate", out _));
        Assert.Equal(flood.GetProperty("sent").GetInt64(), flood.GetProperty("delivered").GetInt64() + flood.GetProperty("lost").GetInt64());
        Assert.InRange(flood.GetProperty("delivered").GetInt64(), 100, long.MaxValue);

        JsonElement sink = pair.Stop("udp-sink");
        Assert.Equal(2, sink.GetProperty("senders").GetInt32());
        Assert.Equal(sent + flood.GetProperty("delivered").GetInt64(), sink.GetProperty("unique").GetInt64());
    }

    [Fact]
    public void Rtt_probe_measures_every_request()
    {
        using AgentPair pair = new("rtt-echo");
        JsonElement probe = pair.Source("rtt-probe", "--seconds", "0.5", "--interval-us", "2000", "--size", "200");
        JsonElement rtt = probe.GetProperty("rtt");
        Assert.InRange(probe.GetProperty("sent").GetInt64(), 10, 251);
        Assert.Equal(0, probe.GetProperty("lost").GetInt64());
        Assert.Equal(probe.GetProperty("sent").GetInt64(), rtt.GetProperty("count").GetInt64());
        Assert.InRange(rtt.GetProperty("min_ns").GetInt64(), 1000, rtt.GetProperty("p50_ns").GetInt64());
        Assert.InRange(rtt.GetProperty("p99_ns").GetInt64(), rtt.GetProperty("p50_ns").GetInt64(), rtt.GetProperty("max_ns").GetInt64());
        Assert.Equal(probe.GetProperty("sent").GetInt64(), pair.Stop("rtt-echo").GetProperty("answered").GetInt64());
    }

    [Fact]
    public void Connect_source_counts_connections()
    {
        using AgentPair pair = new("connect-sink");
        JsonElement source = pair.Source("connect-source", "--seconds", "0.3", "--streams", "2");
        long connections = source.GetProperty("connections").GetInt64();
        Assert.InRange(connections, 10, long.MaxValue);
        Assert.Equal(connections, source.GetProperty("latency").GetProperty("count").GetInt64());
        Assert.Equal(connections, pair.Stop("connect-sink").GetProperty("connections").GetInt64());
    }

    [Theory]
    [InlineData("--tcp", "1")]
    [InlineData("--tcp", "1000003")]
    [InlineData("--udp", "1")]
    [InlineData("--udp", "42879")]
    [InlineData("--udp", "42880")]
    [InlineData("--udp", "1000003")]
    [InlineData("--udp --segment", "1")]
    [InlineData("--udp --segment", "42879")]
    [InlineData("--udp --segment", "42880")]
    [InlineData("--udp --segment", "1000003")]
    [InlineData("--udp --segment --size 30000", "1000003")]
    [InlineData("--udp --segment --size 40000", "1000003")]
    public void Hash_source_finds_loopback_intact(string protocol, string bytes)
    {
        using AgentPair pair = new("hash-sink");
        JsonElement source = pair.Source("hash-source", ["--bytes", bytes, .. protocol.Split(' ')]);
        Assert.True(source.GetProperty("intact").GetBoolean());
        Assert.Equal(source.GetProperty("sent").GetString(), source.GetProperty("received").GetString());
        Assert.Equal((0, 0), (source.GetProperty("corrupt").GetInt64(), source.GetProperty("repeated").GetInt64()));
        Assert.InRange(source.GetProperty("seconds").GetDouble(), 1e-6, 60);
        JsonElement sink = pair.Stop("hash-sink");
        Assert.Equal((1L, long.Parse(bytes)), (sink.GetProperty("runs").GetInt64(), sink.GetProperty("bytes").GetInt64()));
    }

    [Theory]
    [InlineData("tcp-source --seconds 0.2")]
    [InlineData("udp-source --seconds 0.2 --size 64 --flood")]
    [InlineData("rtt-probe --seconds 0.2 --interval-us 1000")]
    [InlineData("connect-source --seconds 0.2")]
    [InlineData("hash-source --bytes 100 --udp")]
    [InlineData("hash-source --bytes 100 --tcp")]
    public void A_peer_that_is_not_there_is_one_line_within_five_seconds_of_the_end(string command)
    {
        IPEndPoint nobody = new(IPAddress.Loopback, AgentPair.FreePort(IPAddress.Loopback));
        Stopwatch watch = Stopwatch.StartNew();
        (int code, string output, string error) = AgentPair.Agent([.. command.Split(' '), "--to", nobody.ToString()]);
        Assert.Equal((LabAgent.Failure, ""), (code, output));
        Assert.StartsWith($"flannelfast lab-agent {command.Split(' ')[0]}: ", error);
        Assert.Single(error.TrimEnd('\n').Split('\n'));
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 5.5);
    }

    [Theory]
    [InlineData("")]
    [InlineData("tcp-sinc --listen 127.0.0.1:5001")]
    [InlineData("tcp-sink")]
    [InlineData("tcp-sink --listen")]
    [InlineData("tcp-sink --listen 127.0.0.1")]
    [InlineData("tcp-sink --listen 127.0.0.1:0")]
    [InlineData("tcp-sink --listen 127.0.0.1:5001 --listen 127.0.0.1:5002")]
    [InlineData("tcp-sink --listen 127.0.0.1:5001 stray")]
    [InlineData("tcp-source --to 127.0.0.1:5001 --seconds 1 --stream 4")]
    [InlineData("tcp-source --to 127.0.0.1:5001 --seconds 1 --streams 0")]
    [InlineData("tcp-source --to 127.0.0.1:5001 --seconds NaN")]
    [InlineData("tcp-source --to 127.0.0.1:5001 --seconds 1 --congestion ../cubic")]
    [InlineData("tcp-source --to 127.0.0.1:5001 --seconds 1 --bidirectional yes")]
    [InlineData("udp-source --to 127.0.0.1:5001 --seconds 1 --size 64")]
    [InlineData("udp-source --to 127.0.0.1:5001 --seconds 1 --size 64 --flood --rate 5")]
    [InlineData("udp-source --to 127.0.0.1:5001 --seconds 1 --size 31 --flood")]
    [InlineData("rtt-probe --to 127.0.0.1:5001 --seconds 1 --interval-us 1e3")]
    [InlineData("hash-source --to 127.0.0.1:5001 --bytes 5")]
    [InlineData("hash-source --to 127.0.0.1:5001 --bytes -5 --udp")]
    [InlineData("hash-source --to 127.0.0.1:5001 --bytes 5 --tcp --segment")]
    public void Bad_arguments_are_one_line_and_exit_code_2(string command)
    {
        (int code, string output, string error) = AgentPair.Agent(command.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal((LabAgent.BadInput, ""), (code, output));
        Assert.StartsWith("flannelfast lab-agent: ", error);
        Assert.Single(error.TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public void A_congestion_control_that_the_kernel_lacks_is_named()
    {
        using AgentPair pair = new("tcp-sink");
        (int code, _, string error) = AgentPair.Agent(["tcp-source", "--to", pair.EndPoint.ToString(), "--seconds", "0.2", "--congestion", "nosuch"]);
        Assert.Equal(LabAgent.Failure, code);
        Assert.Contains("\"nosuch\"", error);
    }
}
