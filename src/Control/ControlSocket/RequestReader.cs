using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;

namespace FlannelFast.Control.ControlSocket;

/// <summary>Takes one line off a connection within the limits of <see cref="ControlProtocol"/>, and parses it.</summary>
internal static class RequestReader
{
    /// <summary>Reads one request.</summary>
    /// <param name="reader">The connection.</param>
    /// <param name="bulk">Taken while a request larger than <see cref="ControlProtocol.MaxRequest"/> is read, so that few are in memory at once.</param>
    /// <param name="cancel">The deadline.</param>
    /// <returns>The request, or null when the client closed without sending one.</returns>
    /// <exception cref="JsonException">The line is no request or is too long; the message is one line.</exception>
    internal static async Task<ControlRequest?> ReadAsync(PipeReader reader, SemaphoreSlim bulk, CancellationToken cancel)
    {
        long searched = 0;
        bool isBulk = false;
        try
        {
            while (true)
            {
                ReadResult result = await reader.ReadAsync(cancel).ConfigureAwait(false);
                ReadOnlySequence<byte> buffer = result.Buffer;
                if (buffer.Slice(searched).PositionOf((byte)'\n') is { } end)
                    return Parse(buffer.Slice(0, end));
                searched = buffer.Length;
                if (result.IsCompleted)
                    return searched == 0 ? null : throw new JsonException("expected one line of JSON; the connection ended within it");
                if (searched > ControlProtocol.MaxRequest && !isBulk)
                {
                    if (!ControlProtocol.IsBulk(PeekCommand(buffer)))
                        throw new JsonException($"expected at most {ControlProtocol.MaxRequest} bytes in one line");
                    await bulk.WaitAsync(cancel).ConfigureAwait(false);
                    isBulk = true;
                }
                if (searched > ControlProtocol.MaxBulkRequest)
                    throw new JsonException($"expected at most {ControlProtocol.MaxBulkRequest} bytes in one line");
                reader.AdvanceTo(buffer.Start, buffer.End);
            }
        }
        finally
        {
            if (isBulk) bulk.Release();
        }
    }

    private static ControlRequest Parse(ReadOnlySequence<byte> line)
    {
        // One array: the converter of settings works on contiguous text, and requests are rare.
        byte[] json = line.ToArray();
        return JsonSerializer.Deserialize(json, ControlJsonContext.Default.ControlRequest)
            ?? throw new JsonException("expected an object, not null");
    }

    /// <summary>Finds the command in the beginning of a request whose end has not arrived.</summary>
    private static string? PeekCommand(ReadOnlySequence<byte> beginning)
    {
        var reader = new Utf8JsonReader(beginning, isFinalBlock: false, state: default);
        bool isCommand = false;
        while (reader.Read())
        {
            if (isCommand) return reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
            // Nothing but scalars may come before: a list there would let the search grow with the request.
            if (reader.TokenType == JsonTokenType.StartArray || reader.CurrentDepth > 1) return null;
            isCommand = reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("command"u8);
        }
        return null;
    }
}
