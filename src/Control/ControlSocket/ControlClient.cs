using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text.Json;

namespace FlannelFast.Control.ControlSocket;

/// <summary>Sends one request to a running daemon.</summary>
internal static class ControlClient
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(15);

    /// <summary>Sends the request, returns an answer that is no error.</summary>
    /// <param name="path">The daemon's socket.</param>
    /// <param name="request">What to ask.</param>
    /// <param name="cancel">Gives up early.</param>
    /// <exception cref="ControlSocketException">No daemon, no permission, no answer, or an answer that is an error.</exception>
    internal static async Task<ControlResponse> SendAsync(string path, ControlRequest request, CancellationToken cancel)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(s_patience);
        try
        {
            using Socket socket = await ConnectAsync(path, deadline.Token).ConfigureAwait(false);
            using NetworkStream stream = new(socket, ownsSocket: false);
            byte[] line = JsonSerializer.SerializeToUtf8Bytes(request, ControlJsonContext.Default.ControlRequest);
            try
            {
                await stream.WriteAsync(line, deadline.Token).ConfigureAwait(false);
                await stream.WriteAsync("\n"u8.ToArray(), deadline.Token).ConfigureAwait(false);
            }
            catch (IOException)
            {
                // A daemon that refuses a request before its end closes early; what it said about it can still be read.
            }
            return Checked(path, await ReceiveAsync(stream, deadline.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new ControlSocketException($"the daemon at {path} did not answer within {s_patience.TotalSeconds:0} seconds");
        }
        catch (Exception e) when (e is JsonException or IOException)
        {
            throw new ControlSocketException($"the daemon at {path} gave no proper answer: {e.Message}");
        }
    }

    private static async Task<Socket> ConnectAsync(string path, CancellationToken cancel)
    {
        UnixDomainSocketEndPoint place;
        try
        {
            place = new(path);
        }
        catch (ArgumentException)
        {
            throw new ControlSocketException($"--socket: expected a path of 1 to 107 bytes, not {Tunnels.InvalidInputException.Quote(path)}")
            {
                IsInvalidInput = true,
            };
        }
        while (true)
        {
            Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(place, cancel).ConfigureAwait(false);
                return socket;
            }
            catch (SocketException e)
            {
                socket.Dispose();
                // A unix socket whose queue is full answers EAGAIN to a non-blocking connect (unix(7)) and has nothing to poll for.
                if (e.SocketErrorCode is not (SocketError.WouldBlock or SocketError.TryAgain)) throw Unreachable(path, e);
                await Task.Delay(10, cancel).ConfigureAwait(false);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }

    private static ControlSocketException Unreachable(string path, SocketException e) => e.SocketErrorCode switch
    {
        SocketError.AccessDenied => new($"no permission to use {path}; run as root or as the user of the daemon"),
        SocketError.ConnectionRefused or SocketError.AddressNotAvailable =>
            new($"no daemon listens on {path}; start one with \"flannelfast tunnel\", or name its socket with --socket") { IsNotRunning = true },
        _ => new($"cannot connect to {path}: {e.Message}"),
    };

    private static async Task<ControlResponse> ReceiveAsync(NetworkStream stream, CancellationToken cancel)
    {
        PipeReader reader = PipeReader.Create(stream, new(bufferSize: 64 << 10));
        while (true)
        {
            ReadResult result = await reader.ReadAsync(cancel).ConfigureAwait(false);
            ReadOnlySequence<byte> buffer = result.Buffer;
            if (buffer.Length > ControlProtocol.MaxResponse) throw new JsonException("it is too long");
            // At the line's end, not at the connection's: a daemon that refused half a request closes with a reset.
            if (result.IsCompleted || EndsLine(buffer)) return Parse(buffer);
            reader.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    private static bool EndsLine(ReadOnlySequence<byte> buffer) =>
        !buffer.IsEmpty && buffer.Slice(buffer.Length - 1).FirstSpan[0] == (byte)'\n';

    private static ControlResponse Parse(ReadOnlySequence<byte> json)
    {
        if (json.IsEmpty) throw new IOException("it closed the connection");
        var reader = new Utf8JsonReader(json);
        return JsonSerializer.Deserialize(ref reader, ControlJsonContext.Lenient.ControlResponse) ?? throw new JsonException("it is null");
    }

    private static ControlResponse Checked(string path, ControlResponse response)
    {
        if (response.Schema != ControlProtocol.Schema)
            throw new ControlSocketException($"the daemon at {path} speaks schema {response.Schema}, this program {ControlProtocol.Schema}; use the program of the daemon's version");
        if (response.Error is { } error)
            throw new ControlSocketException(error.Message) { IsInvalidInput = error.Code == ControlErrorCode.InvalidInput };
        return response;
    }
}
