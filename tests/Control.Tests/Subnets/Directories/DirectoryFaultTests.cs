using System.Diagnostics;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Subnets.Directories;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Subnets.Directories;

/// <summary>What the file system can do to a store: one clear line each, and the old state intact.</summary>
public sealed class DirectoryFaultTests : IDisposable
{
    private const string Key = "10.5.1.0-24";
    private static readonly TimeSpan s_day = TimeSpan.FromDays(1);
    private static readonly byte[] s_value = "one"u8.ToArray();

    private readonly TemporaryDirectory _files = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task A_full_disk_leaves_everything_as_it_was()
    {
        using PrivateMount disk = new("size=128k");
        DirectoryRegistry registry = Open($"{disk.Root}/store");
        await registry.WriteConfigAsync("config"u8.ToArray(), Cancel);
        await registry.CreateAsync(Key, s_value, s_day, Cancel);
        File.WriteAllText($"{disk.Root}/filler", "");
        Assert.Throws<IOException>(() => File.WriteAllBytes($"{disk.Root}/filler", new byte[1 << 20]));

        await AssertFailsAsync("No space left on device (errno 28)", () => registry.CreateAsync("10.5.2.0-24", s_value, s_day, Cancel));
        await AssertFailsAsync("No space left on device (errno 28)", () => registry.ReplaceAsync(Key, "two"u8.ToArray(), s_day, 1, Cancel));
        await AssertFailsAsync("No space left on device (errno 28)", () => registry.WriteConfigAsync("other"u8.ToArray(), Cancel));
        await AssertFailsAsync("No space left on device (errno 28)", () => registry.DeleteAsync(Key, 1, Cancel));
        Assert.Equal("config"u8.ToArray(), await registry.ReadConfigAsync(Cancel));
        RegistryEntry entry = Assert.Single((await registry.ListAsync(Cancel)).Entries);
        Assert.Equal((Key, 1, "one"), (entry.Key, entry.ModRevision, System.Text.Encoding.ASCII.GetString(entry.Value.Span)));
        Assert.Equal(["config", "revisions", "subnets"], Directory.EnumerateFileSystemEntries($"{disk.Root}/store").Select(Path.GetFileName).Order());

        File.Delete($"{disk.Root}/filler");
        Assert.NotNull(await registry.ReplaceAsync(Key, s_value, s_day, 1, Cancel));
    }

    [Fact]
    public async Task A_disk_that_becomes_read_only_can_be_read_and_watched()
    {
        using PrivateMount disk = new("size=1m");
        JumpingTime time = new();
        DirectoryRegistry registry = new($"{disk.Root}/store", time, new Random(1));
        await registry.CreateAsync(Key, s_value, s_day, Cancel);
        disk.Remount("ro");

        await AssertFailsAsync("Read-only file system (errno 30)", () => registry.ReplaceAsync(Key, s_value, s_day, 1, Cancel));
        await AssertFailsAsync("Read-only file system (errno 30)", () => registry.WriteConfigAsync(s_value, Cancel));
        Assert.Single((await registry.ListAsync(Cancel)).Entries);
        await using IAsyncEnumerator<RegistryChange> watch = registry.WatchAsync(1, Cancel).GetAsyncEnumerator(Cancel);
        ValueTask<bool> next = watch.MoveNextAsync();
        await Task.Delay(200, Cancel);
        time.Pass(TimeSpan.FromHours(25));
        Assert.True(await next);
        Assert.Equal((Key, null), (watch.Current.Key, watch.Current.Entry));
    }

    [Fact]
    public async Task A_link_in_place_of_the_directory_is_not_followed()
    {
        Directory.CreateDirectory(_files["elsewhere"]);
        File.CreateSymbolicLink(_files["store"], _files["elsewhere"]);
        await AssertFailsAsync($"{_files["store"]} is a symbolic link or a file; expected a directory", () => Open().CreateAsync(Key, s_value, s_day, Cancel));
        await AssertFailsAsync("is a symbolic link or a file", () => Open().ListAsync(Cancel));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_files["elsewhere"]));
    }

    [Theory]
    [InlineData("subnets")]
    [InlineData("revisions")]
    [InlineData("config")]
    public async Task A_link_in_place_of_a_file_is_neither_followed_nor_written_through(string name)
    {
        Directory.CreateDirectory(_files["elsewhere"]);
        File.WriteAllText(_files["elsewhere/file"], "untouched");
        Directory.CreateDirectory(_files["store"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.CreateSymbolicLink(_files[$"store/{name}"], _files[name == "subnets" ? "elsewhere" : "elsewhere/file"]);
        DirectoryRegistry registry = Open();
        if (name == "config")
        {
            await AssertFailsAsync("store/config", () => registry.ReadConfigAsync(Cancel));
            await registry.WriteConfigAsync(s_value, Cancel);
            Assert.Equal(s_value, await registry.ReadConfigAsync(Cancel));
        }
        else
        {
            await AssertFailsAsync($"store/{name}", () => registry.CreateAsync(Key, s_value, s_day, Cancel));
        }
        Assert.Equal("untouched", File.ReadAllText(_files["elsewhere/file"]));
        Assert.Single(Directory.EnumerateFileSystemEntries(_files["elsewhere"]));
    }

    [Fact]
    public async Task A_parent_may_be_a_link_and_missing_parents_are_made()
    {
        Directory.CreateDirectory(_files["elsewhere"]);
        File.CreateSymbolicLink(_files["var"], _files["elsewhere"]);
        await Open(_files["var/a/store"]).CreateAsync(Key, s_value, s_day, Cancel);
        Assert.True(File.Exists(_files[$"elsewhere/a/store/subnets/{Key}"]));
        await Open(_files["var/store"]).CreateAsync(Key, s_value, s_day, Cancel);
        Assert.True(File.Exists(_files[$"elsewhere/store/subnets/{Key}"]));
    }

    [Fact]
    public async Task A_directory_that_everybody_may_change_is_refused()
    {
        Directory.CreateDirectory(_files["store"]);
        File.SetUnixFileMode(_files["store"], (UnixFileMode)0x1FF);
        await AssertFailsAsync($"everybody may write to {_files["store"]}", () => Open().ListAsync(Cancel));
    }

    [Fact]
    public async Task A_directory_of_another_user_is_refused()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root, to give a directory to somebody else");
        Directory.CreateDirectory(_files["store"]);
        using var chown = Process.Start("chown", ["65534", _files["store"]]);
        await chown.WaitForExitAsync(Cancel);
        await AssertFailsAsync($"{_files["store"]} belongs to user id 65534", () => Open().ListAsync(Cancel));
    }

    [Fact]
    public async Task A_path_through_a_file_is_one_clear_line()
    {
        _files.Write("file", "");
        await AssertFailsAsync(_files["file/store"], () => Open(_files["file/store"]).ListAsync(Cancel));
        await AssertFailsAsync(_files["file"], () => Open(_files["file"]).WriteConfigAsync(s_value, Cancel));
    }

    [Fact]
    public async Task A_lock_that_is_not_released_ends_the_call_in_time()
    {
        DirectoryRegistry registry = Open();
        await registry.CreateAsync(Key, s_value, s_day, Cancel);
        using var holder = Process.Start(new ProcessStartInfo("flock", ["--exclusive", _files["store"], "sh", "-c", "echo ready; read line"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        Assert.Equal("ready", await holder.StandardOutput.ReadLineAsync(Cancel));
        long started = TimeProvider.System.GetTimestamp();
        await AssertFailsAsync("another process holds its lock for more than 5 s", () => registry.ListAsync(Cancel));
        Assert.InRange(TimeProvider.System.GetElapsedTime(started), DirectoryRegistry.LockLimit, DirectoryRegistry.CallLimit);

        Task<RegistrySnapshot> waiting = registry.ListAsync(Cancel);
        holder.StandardInput.Close();
        await holder.WaitForExitAsync(Cancel);
        Assert.Single((await waiting).Entries);
    }

    [Fact]
    public async Task Who_is_cancelled_waits_no_longer()
    {
        DirectoryRegistry registry = Open();
        await registry.CreateAsync(Key, s_value, s_day, Cancel);
        using CancellationTokenSource stop = new();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => registry.ListAsync(stop.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (RegistryChange change in registry.WatchAsync(1, stop.Token)) Assert.Fail($"{change}");
        });
    }

    private DirectoryRegistry Open(string? path = null) => new(path ?? _files["store"], TimeProvider.System, new Random(1));

    private static async Task AssertFailsAsync(string message, Func<Task> call)
    {
        StoreUnavailableException failure = await Assert.ThrowsAsync<StoreUnavailableException>(call);
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
    }
}
