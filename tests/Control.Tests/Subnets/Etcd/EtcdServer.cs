using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;

namespace FlannelFast.Control.Tests.Subnets.Etcd;

/// <summary>
/// A real etcd of one test: on a loopback address of its own (127.0.0.0/8 has room for everybody), its data in a directory of its own. A shell
/// holds it: when the test ends, also when it is killed, the shell's standard input ends, and the shell kills etcd and removes the directory.
/// </summary>
internal sealed partial class EtcdServer : IDisposable
{
    private const string Holder =
        """
        trap '' INT TERM HUP; exec 2>/dev/null
        directory=$1; shift
        "$@" >>"$directory/log" 2>&1 </dev/null &
        echo $!
        read -r order
        kill -KILL $!
        wait $!
        [ "$order" = keep ] || rm -rf "$directory"
        """;

    private readonly string _directory = Directory.CreateTempSubdirectory("ffetcd").FullName;
    private readonly EtcdServerSettings _settings;
    private Process? _holder;
    private bool _disposed;

    internal EtcdServer(EtcdServerSettings? settings = null)
    {
        _settings = settings ?? new();
        Address = _settings.Address ?? NewAddress();
    }

    /// <summary>Where it listens: clients at port 2379, members at 2380.</summary>
    internal IPAddress Address { get; }

    internal string Endpoint => $"{(_settings.Tls is null ? "http" : "https")}://{Address}:2379";

    internal string PeerUrl => $"http://{Address}:2380";

    /// <summary>Of the running etcd.</summary>
    internal int ProcessId { get; private set; }

    /// <summary>"name:password" for <see cref="Ctl"/>, once authentication is on.</summary>
    internal string? User { get; set; }

    /// <summary>An address nobody else uses: three random bytes, so that test runs side by side do not meet.</summary>
    internal static IPAddress NewAddress() => new([127, (byte)Random.Shared.Next(64, 255), (byte)Random.Shared.Next(256), (byte)Random.Shared.Next(1, 255)]);

    /// <summary>Starts one server and waits until it answers.</summary>
    internal static EtcdServer Start(EtcdServerSettings? settings = null)
    {
        EtcdServer server = new(settings);
        try
        {
            server.Launch();
            server.WaitUntilReady();
            return server;
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    /// <summary>Starts the process, on the data it may have had before.</summary>
    internal void Launch()
    {
        Assert.Null(_holder);
        List<string> arguments =
        [
            "-c", Holder, "etcd-holder", _directory, "etcd",
            "--name", Address.ToString(), "--data-dir", Path.Combine(_directory, "data"),
            "--listen-client-urls", Endpoint, "--advertise-client-urls", Endpoint,
            "--listen-peer-urls", PeerUrl, "--initial-advertise-peer-urls", PeerUrl,
            "--initial-cluster", _settings.InitialCluster ?? $"{Address}={PeerUrl}", "--initial-cluster-token", _settings.Token,
            "--heartbeat-interval", "50", "--election-timeout", "500", "--logger", "zap", "--log-outputs", "stderr",
        ];
        if (_settings.Tls is { } tls)
        {
            arguments.AddRange(["--cert-file", tls.ServerCertificate, "--key-file", tls.ServerKey]);
            if (_settings.RequireClientCertificate) arguments.AddRange(["--client-cert-auth", "--trusted-ca-file", tls.Authority]);
        }
        if (_settings.EnableV2) arguments.Add("--enable-v2");
        arguments.AddRange(_settings.Arguments);
        ProcessStartInfo start = Program(["/bin/sh", .. arguments]);
        start.RedirectStandardInput = true;
        _holder = Process.Start(start)!;
        ProcessId = int.Parse(_holder.StandardOutput.ReadLine()!);
    }

    /// <summary>Waits until a linearizable read works.</summary>
    internal void WaitUntilReady()
    {
        long started = Stopwatch.GetTimestamp();
        while (TryCtl(out string output, "get", "ready") != 0)
        {
            if (Stopwatch.GetElapsedTime(started) > TimeSpan.FromSeconds(30)) Assert.Fail($"etcd at {Endpoint} does not answer: {output}\n{Log()}");
            Thread.Sleep(50);
        }
    }

    /// <summary>Ends it as kill -9 does; the data stays for <see cref="Launch"/>.</summary>
    internal void Kill()
    {
        if (_holder is null) return;
        _holder.StandardInput.WriteLine("keep");
        _holder.StandardInput.Close();
        Assert.True(_holder.WaitForExit(TimeSpan.FromSeconds(10)));
        _holder.Dispose();
        _holder = null;
    }

    /// <summary>SIGSTOP: connections stay, nothing answers.</summary>
    internal void Pause() => Assert.Equal(0, kill(ProcessId, 19));

    /// <summary>SIGCONT.</summary>
    internal void Resume() => Assert.Equal(0, kill(ProcessId, 18));

    /// <summary>Runs etcdctl (v3 API) as an independent witness; returns what it prints, fails if it fails.</summary>
    internal string Ctl(params string[] arguments)
    {
        Assert.True(TryCtl(out string output, arguments) == 0, $"etcdctl {string.Join(' ', arguments)}: {output}");
        return output;
    }

    /// <summary>The same with an exit code; the output is that of both streams if it fails.</summary>
    internal int TryCtl(out string output, params string[] arguments) => Run("3", out output, arguments);

    /// <summary>etcdctl (v3 API) with something to read, as "txn" wants it.</summary>
    internal void Input(string text, params string[] arguments) => Assert.True(Run("3", out string output, arguments, text) == 0, output);

    /// <summary>etcdctl on the v2 API.</summary>
    internal string CtlV2(params string[] arguments)
    {
        Assert.True(Run("2", out string output, arguments) == 0, $"etcdctl v2 {string.Join(' ', arguments)}: {output}");
        return output;
    }

    /// <summary>What etcd logged.</summary>
    internal string Log() => File.ReadAllText(Path.Combine(_directory, "log"));

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        if (_holder is not null)
        {
            _holder.StandardInput.Close();
            Assert.True(_holder.WaitForExit(TimeSpan.FromSeconds(10)));
            _holder.Dispose();
        }
        else
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    private ProcessStartInfo Program(string[] command)
    {
        string[] all = [.. _settings.Launcher, .. command];
        ProcessStartInfo start = new(all[0], all[1..]) { RedirectStandardOutput = true };
        // Neither options nor a proxy of the machine, which is not on the way between namespaces.
        foreach (string name in start.Environment.Keys.ToArray())
        {
            if (name.StartsWith("ETCD", StringComparison.Ordinal) || name.EndsWith("_proxy", StringComparison.OrdinalIgnoreCase)) start.Environment.Remove(name);
        }
        return start;
    }

    private int Run(string api, out string output, string[] arguments, string input = "")
    {
        List<string> all = ["--endpoints", Endpoint];
        if (_settings.Tls is { } tls)
        {
            all.AddRange(api == "3"
                ? ["--cacert", tls.Authority, "--cert", tls.ClientCertificate, "--key", tls.ClientKey]
                : ["--ca-file", tls.Authority, "--cert-file", tls.ClientCertificate, "--key-file", tls.ClientKey]);
        }
        if (User is not null) all.AddRange([api == "3" ? "--user" : "--username", User]);
        ProcessStartInfo start = Program(["etcdctl", .. all, .. arguments]);
        start.RedirectStandardInput = true;
        start.RedirectStandardError = true;
        start.Environment["ETCDCTL_API"] = api;
        using Process process = Process.Start(start)!;
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        output = process.StandardOutput.ReadToEnd();
        Assert.True(process.WaitForExit(TimeSpan.FromSeconds(30)));
        if (process.ExitCode != 0) output += errors.GetAwaiter().GetResult();
        return process.ExitCode;
    }

    [LibraryImport("libc")]
    private static partial int kill(int pid, int signal);
}
