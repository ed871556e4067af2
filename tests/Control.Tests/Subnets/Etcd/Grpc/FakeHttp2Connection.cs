using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;

namespace FlannelFast.Control.Tests.Subnets.Etcd.Grpc;

/// <summary>One connection of <see cref="FakeHttp2Server"/> (RFC 9113; header blocks as literals without indexing, RFC 7541 6.2.2).</summary>
internal sealed class FakeHttp2Connection : IDisposable
{
    internal const byte Data = 0, Headers = 1, Reset = 3, Settings = 4, Ping = 6, GoAway = 7, Continuation = 9;

    private readonly NetworkStream _stream;
    private readonly CancellationToken _stop;
    private readonly SemaphoreSlim _sending = new(1);
    private readonly Channel<(int Stream, string Block)> _requests = Channel.CreateUnbounded<(int, string)>();
    private readonly Channel<int> _resets = Channel.CreateUnbounded<int>();

    internal FakeHttp2Connection(Socket socket, CancellationToken stop)
    {
        _stream = new(socket, ownsSocket: true);
        _stop = stop;
        _ = ReadAsync();
    }

    /// <summary>Whether it shows signs of life when asked.</summary>
    internal bool AnswersPings { get; set; } = true;

    /// <summary>The header block of the request that was given out last, as Latin-1: .NET neither compresses values nor refers to earlier blocks.</summary>
    internal string HeaderBlock { get; private set; } = "";

    public void Dispose() => _stream.Dispose();

    /// <summary>Stream of the next request, when its header is there; null when the client is gone.</summary>
    internal async Task<int?> NextRequestAsync()
    {
        if (!await _requests.Reader.WaitToReadAsync(_stop) || !_requests.Reader.TryRead(out (int Stream, string Block) request)) return null;
        HeaderBlock = request.Block;
        return request.Stream;
    }

    /// <summary>Waits until the client resets a stream.</summary>
    internal async Task<int> NextResetAsync() => await _resets.Reader.ReadAsync(_stop);

    /// <summary>A good answer: headers, one message, trailers.</summary>
    internal async Task ReplyAsync(int stream, params byte[] message)
    {
        await SendHeadersAsync(stream, isEnd: false, (":status", "200"), ("content-type", "application/grpc"));
        await SendAsync(Data, 0, stream, Frame(message));
        await SendHeadersAsync(stream, isEnd: true, ("grpc-status", "0"));
    }

    /// <summary>A message with its five bytes in front.</summary>
    internal static byte[] Frame(byte[] message, byte flags = 0)
    {
        byte[] frame = [flags, 0, 0, 0, 0, .. message];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        return frame;
    }

    internal Task SendHeadersAsync(int stream, bool isEnd, params (string Name, string Value)[] fields) =>
        SendAsync(Headers, (byte)(4 | (isEnd ? 1 : 0)), stream, Block(fields));

    internal static byte[] Block(params (string Name, string Value)[] fields)
    {
        List<byte> block = [];
        foreach ((string name, string value) in fields)
        {
            block.Add(0);
            Literal(name);
            Literal(value);
        }
        return [.. block];

        void Literal(string text)
        {
            int length = text.Length;
            block.Add((byte)Math.Min(length, 127));
            if (length >= 127)
            {
                for (length -= 127; length >= 128; length >>= 7) block.Add((byte)(0x80 | (length & 0x7f)));
                block.Add((byte)length);
            }
            block.AddRange(Encoding.Latin1.GetBytes(text));
        }
    }

    internal Task ResetAsync(int stream, uint error)
    {
        byte[] code = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(code, error);
        return SendAsync(Reset, 0, stream, code);
    }

    internal Task GoAwayAsync(int lastStream, uint error)
    {
        byte[] payload = new byte[8];
        BinaryPrimitives.WriteInt32BigEndian(payload, lastStream);
        BinaryPrimitives.WriteUInt32BigEndian(payload.AsSpan(4), error);
        return SendAsync(GoAway, 0, 0, payload);
    }

    internal async Task SendAsync(byte type, byte flags, int stream, byte[] payload)
    {
        byte[] frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, payload.Length << 8);
        frame[3] = type;
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame, 9);
        await _sending.WaitAsync(_stop);
        try
        {
            await _stream.WriteAsync(frame, _stop);
        }
        finally
        {
            _sending.Release();
        }
    }

    private async Task ReadAsync()
    {
        try
        {
            await SendAsync(Settings, 0, 0, []);
            await ReadExactlyAsync(24);
            while (true)
            {
                byte[] header = await ReadExactlyAsync(9);
                byte[] payload = await ReadExactlyAsync((header[0] << 16) | (header[1] << 8) | header[2]);
                int stream = BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(5));
                switch (header[3])
                {
                    case Headers:
                        _requests.Writer.TryWrite((stream, Encoding.Latin1.GetString(payload)));
                        break;
                    case Reset:
                        _resets.Writer.TryWrite(stream);
                        break;
                    case Settings when (header[4] & 1) == 0:
                        await SendAsync(Settings, 1, 0, []);
                        break;
                    case Ping when (header[4] & 1) == 0 && AnswersPings:
                        await SendAsync(Ping, 1, 0, payload);
                        break;
                }
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            _requests.Writer.TryComplete();
            _resets.Writer.TryComplete(e);
        }
    }

    private async Task<byte[]> ReadExactlyAsync(int length)
    {
        byte[] bytes = new byte[length];
        await _stream.ReadExactlyAsync(bytes, _stop);
        return bytes;
    }
}
