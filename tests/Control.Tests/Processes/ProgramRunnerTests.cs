using System.Diagnostics;
using System.Text;
using FlannelFast.Control.Processes;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Processes;

public sealed class ProgramRunnerTests : IDisposable
{
    private readonly TemporaryDirectory _files = new();
    private readonly ProgramRunner _runner = new();

    [Fact]
    public async Task Arguments_arrive_as_they_are_and_no_shell_sees_them()
    {
        ProgramResult result = await RunAsync("printf", "[%s]", "a b", "$HOME", "*", "\";id;'", "");
        Assert.Equal((0, "[a b][$HOME][*][\";id;'][]", ""), (result.ExitCode, result.Output, result.Error));
    }

    [Fact]
    public async Task Input_output_error_and_exit_code_are_passed()
    {
        ProgramResult result = await _runner.RunAsync(
            Shell("cat; echo bad >&2; echo worse >&2; exit 7") with { Input = Encoding.UTF8.GetBytes("grüß\n") }, TestContext.Current.CancellationToken);
        Assert.Equal((7, "grüß\n", "bad\nworse\n"), (result.ExitCode, result.Output, result.Error));
        Assert.Equal("bad (exit code 7)", result.Complaint);
        Assert.Equal(17, Encoding.UTF8.GetByteCount(result.Combined));
        Assert.Equal(137, (await RunAsync("sh", "-c", "kill -9 $$")).ExitCode);
    }

    [Fact]
    public async Task Both_streams_are_combined_in_the_order_of_their_arrival()
    {
        ProgramResult result = await RunAsync("sh", "-c", "echo 1; sleep 0.2; echo 2 >&2; sleep 0.2; echo 3");
        Assert.Equal("1\n2\n3\n", result.Combined);
    }

    [Fact]
    public async Task A_program_gets_no_variables_but_the_path_unless_it_shall()
    {
        Environment.SetEnvironmentVariable("FF_SECRET", "password");
        ProgramRequest request = new("env", []) { Environment = new Dictionary<string, string?> { ["LC_ALL"] = "C" } };
        Assert.Equal($"LC_ALL=C\nPATH={ProgramPath.Current}\n", string.Concat((await RunAsync(request)).Output.Split('\n')[..^1].Order(StringComparer.Ordinal).Select(l => l + "\n")));
        string inherited = (await RunAsync(request with { InheritsEnvironment = true })).Output;
        Assert.Contains("FF_SECRET=password\n", inherited, StringComparison.Ordinal);
        request = request with { InheritsEnvironment = true, Environment = new Dictionary<string, string?> { ["FF_SECRET"] = null } };
        Assert.DoesNotContain("FF_SECRET", (await RunAsync(request)).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_that_does_not_end_is_killed_with_its_children()
    {
        string pids = _files["pids"];
        long started = Stopwatch.GetTimestamp();
        ProgramException e = await Assert.ThrowsAsync<ProgramException>(() =>
            RunAsync(Shell($"sleep 60 & echo $! $$ > {pids}; wait") with { Deadline = TimeSpan.FromSeconds(0.5) }));
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(5));
        Assert.Contains("did not end within 0.5 s and was killed", e.Message, StringComparison.Ordinal);
        Assert.False(e.IsMissing);
        foreach (string pid in (await File.ReadAllTextAsync(pids, TestContext.Current.CancellationToken)).Trim().Split(' ')) await Gone(pid);
    }

    [Fact]
    public async Task Cancelling_kills_it()
    {
        using CancellationTokenSource cancel = new(TimeSpan.FromSeconds(0.3));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _runner.RunAsync(Shell($"echo $$ > {_files["pid"]}; exec sleep 60"), cancel.Token));
        await Gone((await File.ReadAllTextAsync(_files["pid"], TestContext.Current.CancellationToken)).Trim());
    }

    [Fact]
    public async Task A_child_left_behind_that_keeps_the_streams_open_does_not_hold_us_up()
    {
        long started = Stopwatch.GetTimestamp();
        ProgramResult result = await RunAsync(Shell($"sleep 60 & echo $! > {_files["pid"]}; echo done; exit 3") with { Deadline = TimeSpan.FromSeconds(0.5) });
        Assert.Equal((3, "done\n"), (result.ExitCode, result.Output));
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(5));
        Process.GetProcessById(int.Parse(await File.ReadAllTextAsync(_files["pid"], TestContext.Current.CancellationToken))).Kill();
    }

    [Fact]
    public async Task Endless_output_is_read_and_forgotten()
    {
        ProgramRequest request = Shell("head -c 50000000 /dev/zero; head -c 2000 /dev/zero >&2") with { MaxOutput = 1000 };
        ProgramResult result = await RunAsync(request);
        Assert.True(result.IsTruncated);
        Assert.Equal((0, 1000, 1000), (result.ExitCode, result.Output.Length, result.Error.Length));
        Assert.False((await RunAsync(Shell("head -c 1000 /dev/zero") with { MaxOutput = 1000 })).IsTruncated);
    }

    [Fact]
    public async Task Of_long_output_only_the_lines_wanted_are_kept()
    {
        ProgramRequest request = Shell("seq 1 200000; printf 7777777") with { MaxOutput = 100, KeepLine = line => line.StartsWith("77777"u8) };
        ProgramResult result = await RunAsync(request);
        Assert.Equal("77777\n7777777\n", string.Concat(result.Output.Split('\n').Where(l => l is "77777" or "7777777").Select(l => l + "\n")));
        Assert.False(result.IsTruncated);
    }

    [Fact]
    public async Task Input_that_nobody_reads_is_no_error() =>
        Assert.Equal(4, (await RunAsync(Shell("exit 4") with { Input = new byte[10_000_000] })).ExitCode);

    [Fact]
    public async Task What_cannot_be_run_is_named()
    {
        ProgramException e = await Assert.ThrowsAsync<ProgramException>(() => RunAsync("ff-no-such-program"));
        Assert.True(e.IsMissing);
        Assert.StartsWith("ff-no-such-program is not installed (searched /", e.Message, StringComparison.Ordinal);
        string script = _files.Write("broken", "#!/no/such/interpreter\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        e = await Assert.ThrowsAsync<ProgramException>(() => RunAsync(script));
        Assert.False(e.IsMissing);
        Assert.StartsWith($"cannot start {script}: ", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Programs_are_found_in_the_path_only()
    {
        string script = _files.Write("tool", "");
        string directory = Path.GetDirectoryName(script)!;
        Assert.Null(ProgramPath.Find("tool", directory));
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Assert.Equal(script, ProgramPath.Find("tool", $"relative::/nowhere:{directory}"));
        Assert.Equal(script, ProgramPath.Find(script, ""));
        Directory.CreateDirectory(_files["sub"]);
        Assert.Null(ProgramPath.Find("sub", directory));
        Assert.Null(ProgramPath.Find("FlannelFast.Control.Tests.dll", ""));
    }

    public void Dispose() => _files.Dispose();

    private static ProgramRequest Shell(string script) => new("sh", ["-c", script]);

    private Task<ProgramResult> RunAsync(string program, params string[] arguments) => RunAsync(new ProgramRequest(program, arguments));

    private Task<ProgramResult> RunAsync(ProgramRequest request) => _runner.RunAsync(request, TestContext.Current.CancellationToken);

    private static async Task Gone(string pid)
    {
        for (int i = 0; i < 200; i++)
        {
            string stat = $"/proc/{pid}/stat";
            try
            {
                // Z: killed, and waiting for whoever inherited it.
                if (!File.Exists(stat) || (await File.ReadAllTextAsync(stat)).Contains(") Z ", StringComparison.Ordinal)) return;
            }
            catch (IOException)
            {
                return;
            }
            await Task.Delay(10);
        }
        Assert.Fail($"process {pid} lives on");
    }
}
