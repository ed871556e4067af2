using System.Collections.Concurrent;
using FlannelFast.Control.Subnets.Etcd.Grpc;
using FlannelFast.Control.Tests.Subnets.Etcd.Grpc;

namespace FlannelFast.Control.Tests.Subnets.Etcd.V3;

/// <summary>An etcd that answers each method as a test wants it, and remembers what it was asked.</summary>
internal sealed class FakeEtcd : IDisposable
{
    private readonly FakeHttp2Server _server;
    private readonly ConcurrentQueue<string> _asked = new();

    /// <param name="answer">Method ("Range") to the message of the answer; null breaks the connection.</param>
    internal FakeEtcd(Func<string, byte[]?> answer) => _server = new(async connection =>
    {
        while (await connection.NextRequestAsync() is { } stream)
        {
            string method = MethodOf(connection.HeaderBlock);
            _asked.Enqueue(method);
            if (answer(method) is not { } message) return;
            await (message is [0xff, byte code]
                ? connection.SendHeadersAsync(stream, isEnd: true, (":status", "200"), ("content-type", "application/grpc"), ("grpc-status", $"{code}"), ("grpc-message", "as the test wants it"))
                : connection.ReplyAsync(stream, message));
        }
    });

    internal string Endpoint => $"http://127.0.0.1:{_server.Endpoint.Port}";

    /// <summary>Methods in the order they were asked for.</summary>
    internal string[] Asked => [.. _asked];

    /// <summary>An answer that is an error.</summary>
    internal static byte[] Status(GrpcStatusCode code) => [0xff, (byte)code];

    /// <summary>A message with these fields.</summary>
    internal static byte[] Message(Action<ProtobufWriter> fields)
    {
        ProtobufWriter writer = new();
        fields(writer);
        return writer.Written.ToArray();
    }

    public void Dispose() => _server.Dispose();

    private static string MethodOf(string block)
    {
        int path = block.IndexOf("/etcdserverpb.", StringComparison.Ordinal), name = block.IndexOf('/', path + 1) + 1, end = name;
        while (end < block.Length && char.IsAsciiLetter(block[end])) end++;
        return block[name..end];
    }
}
