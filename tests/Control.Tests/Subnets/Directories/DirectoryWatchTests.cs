using System.Text;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Subnets.Directories;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Subnets.Directories;

public sealed class DirectoryWatchTests : IDisposable
{
    private static readonly TimeSpan s_day = TimeSpan.FromDays(1);
    private static readonly byte[] s_value = "one"u8.ToArray(), s_other = "two"u8.ToArray();

    private readonly TemporaryDirectory _files = new();
    private readonly JumpingTime _time = new();
    private readonly DirectoryRegistry _registry;

    public DirectoryWatchTests() => _registry = Open();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task Changes_of_another_process_arrive_in_order_and_soon()
    {
        await _registry.CreateAsync("a", s_value, s_day, Cancel);
        await using Follower follower = new(_registry, (await _registry.ListAsync(Cancel)).Revision);
        DirectoryRegistry other = Open();
        await other.CreateAsync("b", s_value, s_day, Cancel);
        Assert.Equal("2 b=one", await follower.NextAsync());
        await other.ReplaceAsync("a", s_other, s_day, 1, Cancel);
        Assert.Equal("3 a=two", await follower.NextAsync());
        long started = TimeProvider.System.GetTimestamp();
        await other.DeleteAsync("b", 2, Cancel);
        Assert.Equal("4 b gone", await follower.NextAsync());
        // Sooner than by looking once a second, on the average of many runs; the bound leaves room for a loaded machine.
        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(1.5));
        await follower.AssertNothingMoreAsync();
    }

    [Fact]
    public async Task What_happened_between_the_list_and_the_watch_is_not_lost()
    {
        await _registry.CreateAsync("a", s_value, s_day, Cancel);
        await _registry.CreateAsync("b", s_value, s_day, Cancel);
        long revision = (await _registry.ListAsync(Cancel)).Revision;
        await _registry.DeleteAsync("a", 1, Cancel);
        await _registry.ReplaceAsync("b", s_other, s_day, 2, Cancel);
        await _registry.CreateAsync("c", s_value, s_day, Cancel);
        await using Follower follower = new(_registry, revision);
        Assert.Equal(["3 a gone", "4 b=two", "5 c=one"], [await follower.NextAsync(), await follower.NextAsync(), await follower.NextAsync()]);
        await follower.AssertNothingMoreAsync();
    }

    [Fact]
    public async Task A_watch_goes_on_from_the_last_revision_that_was_seen()
    {
        for (int i = 1; i <= 5; i++) await _registry.CreateAsync($"k{i}", s_value, s_day, Cancel);
        await using (Follower first = new(_registry, 0))
        {
            Assert.Equal("1 k1=one", await first.NextAsync());
            Assert.Equal("2 k2=one", await first.NextAsync());
        }
        await using Follower second = new(_registry, 2);
        Assert.Equal("3 k3=one", await second.NextAsync());
    }

    [Fact]
    public async Task A_store_that_is_made_later_is_found()
    {
        await using Follower follower = new(_registry, 0);
        await follower.AssertNothingMoreAsync();
        await Open().CreateAsync("a", s_value, s_day, Cancel);
        Assert.Equal("1 a=one", await follower.NextAsync());
    }

    [Fact]
    public async Task The_end_of_a_lease_arrives_and_its_file_is_deleted()
    {
        await _registry.CreateAsync("a", s_value, s_day, Cancel);
        await _registry.CreateAsync("b", s_value, null, Cancel);
        await using Follower follower = new(_registry, 2), other = new(Open(), 2);
        await follower.AssertNothingMoreAsync();
        _time.Pass(TimeSpan.FromHours(25));
        Assert.EndsWith(" a gone", await follower.NextAsync(), StringComparison.Ordinal);
        Assert.EndsWith(" a gone", await other.NextAsync(), StringComparison.Ordinal);
        for (int i = 0; File.Exists(_files["store/subnets/a"]) && i < 300; i++) await Task.Delay(10, Cancel);
        Assert.False(File.Exists(_files["store/subnets/a"]));
        Assert.True(File.Exists(_files["store/subnets/b"]));
        Assert.Equal(3, (await _registry.ListAsync(Cancel)).Revision);
        await follower.AssertNothingMoreAsync();
        await other.AssertNothingMoreAsync();
    }

    [Fact]
    public async Task A_lease_that_ended_before_the_watch_began_is_told_once()
    {
        await _registry.CreateAsync("a", s_value, s_day, Cancel);
        _time.Pass(TimeSpan.FromHours(25));
        await using Follower follower = new(_registry, 1);
        Assert.EndsWith(" a gone", await follower.NextAsync(), StringComparison.Ordinal);
        await follower.AssertNothingMoreAsync();
    }

    [Fact]
    public async Task What_is_done_by_hand_is_found_too()
    {
        await _registry.CreateAsync("a", s_value, s_day, Cancel);
        await using Follower follower = new(_registry, 1);
        await follower.AssertNothingMoreAsync();
        File.WriteAllText(_files["store/subnets/b"], "by hand");
        Assert.Equal("1 b=by hand", await follower.NextWithValueAsync());
        File.WriteAllText(_files["store/subnets/b"], "by another hand");
        Assert.Equal("1 b=by another hand", await follower.NextWithValueAsync());
        File.Delete(_files["store/subnets/a"]);
        Assert.Equal("1 a gone", await follower.NextAsync());
    }

    [Fact]
    public async Task History_that_is_too_old_is_lost()
    {
        await _registry.CreateAsync("a", s_value, s_day, Cancel);
        for (int i = 1; i <= RevisionLog.Capacity + 1; i++) Assert.NotNull(await _registry.ReplaceAsync("a", s_value, s_day, i, Cancel));
        await using Follower lost = new(_registry, 1);
        Assert.Contains("changes after revision 1 are forgotten", (await lost.FailureAsync<RegistryHistoryLostException>()).Message, StringComparison.Ordinal);
        await using Follower kept = new(_registry, 2);
        Assert.Equal($"{RevisionLog.Capacity + 2} a=one", await kept.NextAsync());
    }

    [Fact]
    public async Task A_revision_that_goes_back_means_history_is_lost()
    {
        await _registry.CreateAsync("a", s_value, s_day, Cancel);
        File.Copy(_files["store/revisions"], _files["backup"]);
        await _registry.CreateAsync("b", s_value, s_day, Cancel);
        await using Follower follower = new(_registry, 2);
        await follower.AssertNothingMoreAsync();
        File.Move(_files["backup"], _files["store/revisions"], overwrite: true);
        Assert.Contains("went back from 2 to 1", (await follower.FailureAsync<RegistryHistoryLostException>()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_made_again_under_the_same_name_is_another_one()
    {
        await _registry.CreateAsync("a", s_value, s_day, Cancel);
        await _registry.ListAsync(Cancel);
        await using Follower running = new(_registry, 1);
        await running.AssertNothingMoreAsync();
        Directory.Delete(_files["store"], recursive: true);
        await Open().CreateAsync("b", s_value, s_day, Cancel);
        await running.FailureAsync<RegistryHistoryLostException>();
        await using Follower started = new(_registry, 1);
        Assert.Contains("made again", (await started.FailureAsync<RegistryHistoryLostException>()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_log_ends_the_watch_with_one_clear_line()
    {
        await _registry.CreateAsync("a", s_value, s_day, Cancel);
        await using Follower follower = new(_registry, 1);
        File.WriteAllText(_files["store/revisions"], "garbage");
        string message = (await follower.FailureAsync<StoreUnavailableException>()).Message;
        Assert.Contains($"{_files["store"]}/revisions is damaged", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public async Task Many_changes_at_once_lead_to_what_is_there()
    {
        await using Follower follower = new(_registry, 0);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async writer =>
        {
            DirectoryRegistry registry = Open();
            Random random = new(writer);
            for (int i = 0; i < 100; i++)
            {
                string key = $"k{random.Next(10)}";
                RegistryEntry? now = await registry.ReadAsync(key, Cancel);
                byte[] value = Encoding.ASCII.GetBytes($"{writer}-{i}");
                if (now is null) await registry.CreateAsync(key, value, s_day, Cancel);
                else if (random.Next(3) == 0) await registry.DeleteAsync(key, now.ModRevision, Cancel);
                else await registry.ReplaceAsync(key, value, s_day, now.ModRevision, Cancel);
            }
        }));
        RegistrySnapshot end = await _registry.ListAsync(Cancel);
        Dictionary<string, long> expected = end.Entries.ToDictionary(e => e.Key, e => e.ModRevision);
        await follower.UntilAsync(state => state.Count == expected.Count && state.All(s => expected.TryGetValue(s.Key, out long revision) && revision == s.Value));
        Assert.Equal(follower.Revisions.Order(), follower.Revisions);
    }

    private DirectoryRegistry Open() => new(_files["store"], _time, new Random(1), "boot");

    /// <summary>A running watch.</summary>
    private sealed class Follower : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        private readonly System.Threading.Channels.Channel<RegistryChange> _changes = System.Threading.Channels.Channel.CreateUnbounded<RegistryChange>();
        private readonly Task _run;

        public Follower(DirectoryRegistry registry, long after) => _run = RunAsync(registry, after);

        public List<long> Revisions { get; } = [];

        public async Task<string> NextAsync()
        {
            RegistryChange change = await _changes.Reader.ReadAsync(Cancel).AsTask().WaitAsync(TimeSpan.FromSeconds(10), Cancel);
            return change.Entry is null ? $"{change.Revision} {change.Key} gone" : $"{change.Revision} {change.Key}={Encoding.UTF8.GetString(change.Entry.Value.Span)}";
        }

        /// <summary>File.WriteAllText makes an empty file first, which may be seen.</summary>
        public async Task<string> NextWithValueAsync()
        {
            while (true)
            {
                string next = await NextAsync();
                if (!next.EndsWith('=')) return next;
            }
        }

        public async Task AssertNothingMoreAsync()
        {
            await Task.Delay(DirectoryWatch.PollInterval + TimeSpan.FromMilliseconds(300), Cancel);
            Assert.False(_changes.Reader.TryRead(out RegistryChange? more), $"{more}");
        }

        public async Task<T> FailureAsync<T>() where T : Exception => await Assert.ThrowsAsync<T>(() => _run.WaitAsync(TimeSpan.FromSeconds(10), Cancel));

        public async Task UntilAsync(Func<Dictionary<string, long>, bool> isReached)
        {
            Dictionary<string, long> state = [];
            while (!isReached(state))
            {
                RegistryChange change = await _changes.Reader.ReadAsync(Cancel).AsTask().WaitAsync(TimeSpan.FromSeconds(10), Cancel);
                Revisions.Add(change.Revision);
                if (change.Entry is null) state.Remove(change.Key);
                else state[change.Key] = change.Entry.ModRevision;
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            // What a test expects of a failure it has asserted already.
            await _run.ContinueWith(_ => { }, TaskScheduler.Default);
            _stop.Dispose();
        }

        private async Task RunAsync(DirectoryRegistry registry, long after)
        {
            await foreach (RegistryChange change in registry.WatchAsync(after, _stop.Token)) _changes.Writer.TryWrite(change);
        }
    }
}
