using System.Text.Json;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Control.Tunnels;

/// <summary>Reads a configuration file. The answer is a whole, well-formed object or one error; contents are checked later.</summary>
internal static class TunnelSettingsFile
{
    /// <summary>Largest file accepted, in bytes: 100,000 VXLAN peers take about 11 MiB.</summary>
    internal const int MaxSize = 16 << 20;

    /// <summary>Reads and validates a file.</summary>
    /// <exception cref="InvalidInputException">The file cannot be read, is no JSON of the right shape, or a value in it is wrong.</exception>
    internal static TunnelConfig Load(string path)
    {
        ReadOnlyMemory<byte> json = ReadBounded(path);
        return TunnelValidator.Validate(Parse(path, json), new FileOrigin(path, json));
    }

    /// <summary>Reads a file again for its peers, which must fit the running tunnel even where the rest of the file has changed.</summary>
    /// <param name="path">The file.</param>
    /// <param name="running">The running tunnel.</param>
    /// <returns>The peers, and whether the file still describes the running tunnel.</returns>
    /// <exception cref="InvalidInputException">As <see cref="Load"/>, also for anything that is wrong outside the peers.</exception>
    internal static (IReadOnlyList<Peer> Peers, bool IsSameTunnel) LoadPeers(string path, TunnelConfig running)
    {
        ReadOnlyMemory<byte> json = ReadBounded(path);
        var origin = new FileOrigin(path, json);
        TunnelSettings settings = Parse(path, json);
        TunnelConfig described = TunnelValidator.Validate(settings, origin);
        return described.IsSameTunnel(running)
            ? (described.Peers, true)
            : (new PeerValidator(running, origin).Validate(settings.Peers), false);
    }

    /// <summary>Parses the contents of a file.</summary>
    /// <param name="path">The file's name for messages.</param>
    /// <param name="json">UTF-8 without byte order mark.</param>
    /// <exception cref="InvalidInputException">The text is no JSON of the right shape.</exception>
    internal static TunnelSettings Parse(string path, ReadOnlyMemory<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json.Span, TunnelSettingsContext.Default.TunnelSettings)
                ?? throw new InvalidInputException($"{path}: expected a JSON object, not null");
        }
        catch (JsonException e)
        {
            throw new InvalidInputException($"{path}:{(e.LineNumber ?? 0) + 1}: {JsonErrorText.Explain(e)}");
        }
    }

    private static ReadOnlyMemory<byte> ReadBounded(string path)
    {
        if (Directory.Exists(path)) throw new InvalidInputException($"--config: expected a file, but {path} is a directory");
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            // Not from the length: /proc files and pipes have none, and a file can grow while it is read.
            byte[] buffer = new byte[file.CanSeek ? (int)Math.Clamp(file.Length + 1, 4096, MaxSize + 1) : 4096];
            int length = 0;
            for (int got; (got = file.Read(buffer, length, buffer.Length - length)) > 0;)
            {
                length += got;
                if (length > MaxSize) throw new InvalidInputException($"{path}: expected at most 16 MiB of JSON; the file is larger");
                if (length == buffer.Length) Array.Resize(ref buffer, Math.Min(2 * length, MaxSize + 1));
            }
            ReadOnlyMemory<byte> json = buffer.AsMemory(0, length);
            return json.Span.StartsWith("\uFEFF"u8) ? json[3..] : json;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new InvalidInputException($"--config: expected a readable file: {e.Message}");
        }
    }
}
