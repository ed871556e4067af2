using System.Text;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Subnets.Directories;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Subnets.Directories;

public sealed class DirectoryRegistryTests : IDisposable
{
    private const string Key = "10.5.1.0-24";
    private static readonly TimeSpan s_day = TimeSpan.FromDays(1);
    private static readonly byte[] s_value = "{\"PublicIP\":\"192.0.2.1\"}"u8.ToArray(), s_other = "{\"PublicIP\":\"192.0.2.2\"}"u8.ToArray();

    private readonly TemporaryDirectory _files = new();
    private readonly JumpingTime _time = new();
    private readonly DirectoryRegistry _registry;

    public DirectoryRegistryTests() => _registry = Open();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task Where_no_directory_is_there_is_nothing_and_reading_makes_none()
    {
        Assert.Null(await _registry.ReadConfigAsync(Cancel));
        Assert.Null(await _registry.ReadAsync(Key, Cancel));
        RegistrySnapshot all = await _registry.ListAsync(Cancel);
        Assert.Equal((0, 0), (all.Entries.Count, all.Revision));
        Assert.False(Directory.Exists(_files["store"]));
        Assert.Equal($"directory {_files["store"]}", _registry.Description);
    }

    [Fact]
    public async Task The_config_is_a_plain_file()
    {
        await _registry.WriteConfigAsync("{\"Network\":\"10.5.0.0/16\"}"u8.ToArray(), Cancel);
        Assert.Equal("{\"Network\":\"10.5.0.0/16\"}", await File.ReadAllTextAsync(_files["store/config"], Cancel));
        File.WriteAllText(_files["store/config"], "by hand");
        Assert.Equal("by hand"u8.ToArray(), await _registry.ReadConfigAsync(Cancel));
    }

    [Fact]
    public async Task A_config_beyond_the_limit_is_cut_when_read_and_refused_when_written()
    {
        await _registry.WriteConfigAsync(new byte[RegistryEntry.MaxValueSize], Cancel);
        await Assert.ThrowsAsync<ArgumentException>(() => _registry.WriteConfigAsync(new byte[RegistryEntry.MaxValueSize + 1], Cancel));
        File.WriteAllBytes(_files["store/config"], new byte[1_000_000]);
        Assert.Equal(RegistryEntry.MaxValueSize, (await _registry.ReadConfigAsync(Cancel))!.Length);
    }

    [Fact]
    public async Task A_key_is_made_once()
    {
        RegistryEntry made = Assert.IsType<RegistryEntry>(await _registry.CreateAsync(Key, s_value, s_day, Cancel));
        Assert.Equal((Key, 1, 1, s_day, true), (made.Key, made.CreateRevision, made.ModRevision, made.TimeToLive, made.IsTimeToLiveKnown));
        Assert.Null(await _registry.CreateAsync(Key, s_other, s_day, Cancel));
        AssertEntry(s_value, 1, 1, (await _registry.ReadAsync(Key, Cancel))!);
        Assert.Contains("\"PublicIP\":\"192.0.2.1\"", File.ReadAllText(_files[$"store/subnets/{Key}"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_is_replaced_by_who_knows_its_revision()
    {
        Assert.Null(await _registry.ReplaceAsync(Key, s_other, s_day, 1, Cancel));
        await _registry.CreateAsync(Key, s_value, s_day, Cancel);
        AssertEntry(s_other, 1, 2, (await _registry.ReplaceAsync(Key, s_other, s_day, 1, Cancel))!);
        Assert.Null(await _registry.ReplaceAsync(Key, s_value, s_day, 1, Cancel));
        AssertEntry(s_other, 1, 2, (await _registry.ReadAsync(Key, Cancel))!);
    }

    [Fact]
    public async Task A_key_is_deleted_by_who_knows_its_revision_and_a_new_one_is_newer()
    {
        await _registry.CreateAsync(Key, s_value, s_day, Cancel);
        Assert.False(await _registry.DeleteAsync(Key, 2, Cancel));
        Assert.True(await _registry.DeleteAsync(Key, 1, Cancel));
        Assert.False(await _registry.DeleteAsync(Key, 1, Cancel));
        Assert.Null(await _registry.ReadAsync(Key, Cancel));
        AssertEntry(s_value, 3, 3, (await _registry.CreateAsync(Key, s_value, s_day, Cancel))!);
    }

    [Fact]
    public async Task A_list_has_every_key_and_the_revision()
    {
        for (int i = 1; i <= 300; i++) await _registry.CreateAsync($"10.5.{i % 256}.0-{i}", s_value, i % 2 == 0 ? s_day : null, Cancel);
        RegistrySnapshot all = await Open().ListAsync(Cancel);
        Assert.Equal((300, 300), (all.Entries.Count, all.Revision));
        Assert.Equal(150, all.Entries.Count(e => e.TimeToLive is null));
        Assert.All(all.Entries, e => Assert.True(e.IsTimeToLiveKnown));
        Assert.Equal(Enumerable.Range(1, 300), all.Entries.Select(e => (int)e.ModRevision).Order());
    }

    [Fact]
    public async Task A_lease_that_is_over_is_not_there()
    {
        await _registry.CreateAsync(Key, s_value, s_day, Cancel);
        _time.Pass(TimeSpan.FromHours(23));
        RegistryEntry entry = Assert.Single((await _registry.ListAsync(Cancel)).Entries);
        Assert.InRange(entry.TimeToLive!.Value, TimeSpan.FromMinutes(59), TimeSpan.FromHours(1));
        _time.Pass(TimeSpan.FromHours(2));
        Assert.Empty((await _registry.ListAsync(Cancel)).Entries);
        Assert.Null(await _registry.ReadAsync(Key, Cancel));
        Assert.Null(await _registry.ReplaceAsync(Key, s_value, s_day, 1, Cancel));
        Assert.False(await _registry.DeleteAsync(Key, 1, Cancel));
        AssertEntry(s_other, 2, 2, (await _registry.CreateAsync(Key, s_other, s_day, Cancel))!);
    }

    [Fact]
    public async Task A_renewal_gives_a_lease_its_whole_time_again_and_a_reservation_has_no_end()
    {
        await _registry.CreateAsync(Key, s_value, s_day, Cancel);
        await _registry.CreateAsync("10.5.2.0-24", s_value, null, Cancel);
        _time.Pass(TimeSpan.FromHours(23));
        Assert.NotNull(await _registry.ReplaceAsync(Key, s_value, s_day, 1, Cancel));
        _time.Pass(TimeSpan.FromHours(23));
        Assert.NotNull(await _registry.ReadAsync(Key, Cancel));
        _time.Pass(TimeSpan.FromDays(10000));
        Assert.Null(await _registry.ReadAsync(Key, Cancel));
        Assert.NotNull(await _registry.ReadAsync("10.5.2.0-24", Cancel));
    }

    [Fact]
    public async Task A_lease_survives_a_reboot_for_what_is_left_of_it()
    {
        await _registry.CreateAsync(Key, s_value, s_day, Cancel);
        _time.WallOffset += TimeSpan.FromHours(1);
        _time.Reboot();
        RegistryEntry entry = (await Open("the next boot").ReadAsync(Key, Cancel))!;
        Assert.InRange(entry.TimeToLive!.Value, TimeSpan.FromHours(22.9), TimeSpan.FromHours(23));
    }

    [Fact]
    public async Task A_file_written_by_hand_is_a_reservation_that_can_be_taken_over()
    {
        await _registry.CreateAsync("10.5.2.0-24", s_value, s_day, Cancel);
        File.WriteAllBytes(_files[$"store/subnets/{Key}"], s_other);
        RegistryEntry entry = (await _registry.ReadAsync(Key, Cancel))!;
        AssertEntry(s_other, 0, 0, entry);
        Assert.Equal((null, true), (entry.TimeToLive, entry.IsTimeToLiveKnown));
        Assert.Null(await _registry.CreateAsync(Key, s_value, s_day, Cancel));
        AssertEntry(s_value, 2, 2, (await _registry.ReplaceAsync(Key, s_value, null, 0, Cancel))!);
    }

    [Fact]
    public async Task What_is_no_file_takes_its_name_and_nothing_else()
    {
        await _registry.CreateAsync(Key, s_value, s_day, Cancel);
        Directory.CreateDirectory(_files["store/subnets/directory"]);
        File.CreateSymbolicLink(_files["store/subnets/link"], "/etc/passwd");
        File.CreateSymbolicLink(_files["store/subnets/dangling"], "/nonexistent");
        File.WriteAllText(_files["store/subnets/.hidden"], "an editor's");
        using var fifo = System.Diagnostics.Process.Start("mkfifo", _files["store/subnets/fifo"]);
        await fifo.WaitForExitAsync(Cancel);

        Dictionary<string, RegistryEntry> all = (await _registry.ListAsync(Cancel)).Entries.ToDictionary(e => e.Key);
        Assert.Equal(["10.5.1.0-24", "dangling", "directory", "fifo", "link"], all.Keys.Order(StringComparer.Ordinal));
        AssertEntry(s_value, 1, 1, all[Key]);
        foreach (string name in new[] { "dangling", "directory", "link" })
        {
            Assert.False(all[name].IsTimeToLiveKnown);
            Assert.Equal(0, all[name].Value.Length);
            Assert.Null(await _registry.CreateAsync(name, s_value, s_day, Cancel));
        }
        Assert.StartsWith("root:", File.ReadAllText("/etc/passwd"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("../config")]
    [InlineData(".new")]
    [InlineData("a/b")]
    [InlineData("a b")]
    [InlineData("a\nb")]
    [InlineData("ä")]
    public async Task A_key_that_is_no_file_name_is_refused(string key)
    {
        await Assert.ThrowsAsync<ArgumentException>(() => _registry.CreateAsync(key, s_value, s_day, Cancel));
        await Assert.ThrowsAsync<ArgumentException>(() => _registry.ReplaceAsync(key, s_value, s_day, 1, Cancel));
        await Assert.ThrowsAsync<ArgumentException>(() => _registry.DeleteAsync(key, 1, Cancel));
        await Assert.ThrowsAsync<ArgumentException>(() => _registry.ReadAsync(key, Cancel));
        Assert.False(Directory.Exists(_files["store"]));
    }

    [Fact]
    public async Task The_count_goes_on_where_the_log_was_deleted()
    {
        await _registry.CreateAsync(Key, s_value, s_day, Cancel);
        await _registry.ReplaceAsync(Key, s_other, s_day, 1, Cancel);
        File.Delete(_files["store/revisions"]);
        Assert.Equal(2, (await _registry.ListAsync(Cancel)).Revision);
        AssertEntry(s_value, 3, 3, (await _registry.CreateAsync("10.5.2.0-24", s_value, s_day, Cancel))!);
    }

    [Fact]
    public async Task Only_the_owner_can_read_the_files()
    {
        await _registry.CreateAsync(Key, s_value, s_day, Cancel);
        await _registry.WriteConfigAsync(s_value, Cancel);
        UnixFileMode own = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(own | UnixFileMode.UserExecute, File.GetUnixFileMode(_files["store"]));
        Assert.Equal(own | UnixFileMode.UserExecute, File.GetUnixFileMode(_files["store/subnets"]));
        foreach (string name in new[] { "config", "revisions", $"subnets/{Key}" }) Assert.Equal(own, File.GetUnixFileMode(_files[$"store/{name}"]));
    }

    [Fact]
    public async Task Five_thousand_leases_load_in_under_a_second()
    {
        Directory.CreateDirectory(_files["store/subnets"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        StoreClock clock = new(_time, "boot");
        for (int i = 0; i < 5000; i++)
        {
            byte[] content = new LeaseFile(i + 1, i + 1, clock.Begin(s_day), s_value).ToBytes();
            await File.WriteAllBytesAsync(_files[$"store/subnets/10.{i >> 8}.{i & 255}.0-24"], content, Cancel);
        }
        await _registry.ListAsync(Cancel);
        long started = TimeProvider.System.GetTimestamp();
        Assert.Equal(5000, (await _registry.ListAsync(Cancel)).Entries.Count);
        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(1));
    }

    private DirectoryRegistry Open(string clockId = "boot") => new(_files["store"], _time, new Random(1), clockId);

    private static void AssertEntry(byte[] value, long created, long modified, RegistryEntry entry)
    {
        Assert.Equal(Encoding.UTF8.GetString(value), Encoding.UTF8.GetString(entry.Value.Span));
        Assert.Equal((created, modified), (entry.CreateRevision, entry.ModRevision));
    }
}
