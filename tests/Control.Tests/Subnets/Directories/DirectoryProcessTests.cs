using System.Diagnostics;
using System.Text;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Subnets.Directories;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Subnets.Directories;

/// <summary>Several processes on one store, some of which are killed.</summary>
public sealed class DirectoryProcessTests : IDisposable
{
    private readonly TemporaryDirectory _files = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task Writers_killed_at_any_moment_leave_whole_files_and_a_store_that_works()
    {
        DirectoryRegistry registry = new(_files["store"], TimeProvider.System, new Random(1));
        Random random = new(7);
        long last = 0;
        for (int round = 0; round < 5; round++)
        {
            Process[] writers = [.. Enumerable.Range(0, 3).Select(i => DirectoryChild.Start(nameof(DirectoryChild.Write_for_ever), _files["store"], $"{10 * round + i}"))];
            try
            {
                foreach (Process writer in writers)
                {
                    // Each is killed while it, or another, is certainly writing.
                    long seen = await RevisionAsync(registry);
                    long started = Stopwatch.GetTimestamp();
                    while (await RevisionAsync(registry) < seen + 3)
                    {
                        Assert.False(writer.HasExited, writer.HasExited ? await writer.StandardOutput.ReadToEndAsync(Cancel) : "");
                        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(30));
                        await Task.Delay(5, Cancel);
                    }
                    await Task.Delay(random.Next(30), Cancel);
                    writer.Kill();
                    await writer.WaitForExitAsync(Cancel);
                }
            }
            finally
            {
                foreach (Process writer in writers)
                {
                    writer.Kill();
                    writer.Dispose();
                }
            }
            last = await CheckAsync(registry, last);
        }
    }

    [Fact]
    public async Task Of_several_processes_exactly_one_gets_each_subnet()
    {
        Process[] racers = [.. Enumerable.Range(0, 3).Select(i => DirectoryChild.Start(nameof(DirectoryChild.Race), _files["store"], $"{i}"))];
        foreach (Process racer in racers)
        {
            string output = await racer.StandardOutput.ReadToEndAsync(Cancel);
            await racer.WaitForExitAsync(Cancel);
            Assert.True(racer.ExitCode == 0, output);
            racer.Dispose();
        }
        DirectoryRegistry registry = new(_files["store"], TimeProvider.System, new Random(1));
        Dictionary<string, string> owners = (await registry.ListAsync(Cancel)).Entries.ToDictionary(e => e.Key, e => Encoding.ASCII.GetString(e.Value.Span));
        Assert.Equal(40, owners.Count);
        int won = 0;
        for (int i = 0; i < 3; i++)
        {
            foreach (string key in await File.ReadAllLinesAsync(_files[$"store.won{i}"], Cancel))
            {
                Assert.Equal($"{i}", owners[key]);
                won++;
            }
        }
        Assert.Equal(40, won);
    }

    private static async Task<long> RevisionAsync(DirectoryRegistry registry) => (await registry.ListAsync(Cancel)).Revision;

    /// <summary>What must hold whatever was killed. Returns the revision.</summary>
    private async Task<long> CheckAsync(DirectoryRegistry registry, long last)
    {
        RegistrySnapshot all = await registry.ListAsync(Cancel);
        Assert.True(all.Revision > last, $"{all.Revision} after {last}");
        foreach (RegistryEntry entry in all.Entries)
        {
            Assert.True(DirectoryChild.IsWhole(entry.Key, entry.Value.Span), $"{entry.Key} is torn");
            Assert.InRange(entry.ModRevision, 1, all.Revision);
        }
        Assert.Equal(all.Entries.Count, all.Entries.Select(e => e.ModRevision).Distinct().Count());
        Assert.True(DirectoryChild.IsWhole("config", (await registry.ReadConfigAsync(Cancel))!), "the config is torn");
        RegistryEntry proof = Assert.IsType<RegistryEntry>(await registry.CreateAsync("proof", DirectoryChild.Value("proof", 1), null, Cancel));
        Assert.True(proof.ModRevision > all.Revision);
        Assert.True(await registry.DeleteAsync("proof", proof.ModRevision, Cancel));
        Assert.All(Directory.EnumerateFileSystemEntries(_files["store"]), path => Assert.Contains(Path.GetFileName(path), (string[])["config", "revisions", "subnets", ".new"]));
        return proof.ModRevision + 1;
    }
}
