using System.ComponentModel;
using System.Diagnostics;

namespace FlannelFast.Control.Processes;

/// <inheritdoc />
internal sealed class ProgramRunner : IProgramRunner
{
    // A killed program is gone at once, unless it hangs in the kernel (state D); then its end is not waited for.
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(1);

    /// <inheritdoc />
    public async Task<ProgramResult> RunAsync(ProgramRequest request, CancellationToken cancel)
    {
        string path = ProgramPath.Find(request.Program, ProgramPath.Current)
            ?? throw new ProgramException($"{request.Program} is not installed (searched {ProgramPath.Current})", isMissing: true);
        using Process process = Start(request, path);
        var output = new OutputCollector(request.MaxOutput, request.KeepLine);
        Task streams = Task.WhenAll(
            Feed(process, request.Input),
            Task.Run(() => Drain(process.StandardOutput.BaseStream, output.TakeOutput), CancellationToken.None),
            Task.Run(() => Drain(process.StandardError.BaseStream, output.TakeError), CancellationToken.None));
        Task ended = Task.WhenAll(process.WaitForExitAsync(CancellationToken.None), streams);
        try
        {
            await ended.WaitAsync(request.Deadline, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            // A program that left a child behind which keeps the streams open has ended all the same.
            bool isLingering = process.HasExited;
            if (!isLingering) Kill(process);
            await Task.WhenAny(ended, Task.Delay(s_grace, CancellationToken.None)).ConfigureAwait(false);
            Abandon(streams);
            if (e is OperationCanceledException) throw;
            if (!isLingering) throw new ProgramException($"{request} did not end within {request.Deadline.TotalSeconds:0.#} s and was killed", cause: e);
        }
        return output.Finish(process.ExitCode);
    }

    private static Process Start(ProgramRequest request, string path)
    {
        var info = new ProcessStartInfo(path, request.Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (!request.InheritsEnvironment) info.Environment.Clear();
        info.Environment["PATH"] = ProgramPath.Current;
        foreach ((string name, string? value) in request.Environment)
        {
            if (value is null) info.Environment.Remove(name);
            else info.Environment[name] = value;
        }
        try
        {
            return Process.Start(info)!;
        }
        catch (Exception e) when (e is Win32Exception or IOException)
        {
            throw new ProgramException($"cannot start {path}: {e.Message}", cause: e);
        }
    }

    private static async Task Feed(Process process, ReadOnlyMemory<byte> input)
    {
        try
        {
            await using Stream stream = process.StandardInput.BaseStream;
            await stream.WriteAsync(input).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // It ended, or closed its input, without reading all: its exit code tells whether that was an error.
        }
    }

    // Blocking, on a thread of the pool: a pipe has no other reads in .NET.
    private static void Drain(Stream stream, Action<ReadOnlySpan<byte>> take)
    {
        byte[] buffer = new byte[16 * 1024];
        int length;
        while ((length = stream.Read(buffer)) > 0) take(buffer.AsSpan(0, length));
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It ended meanwhile, or a child of it did.
        }
    }

    /// <summary>Streams that somebody keeps open are read on until he ends; what then happens to them concerns nobody.</summary>
    private static void Abandon(Task streams) =>
        _ = streams.ContinueWith(static task => task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
}
