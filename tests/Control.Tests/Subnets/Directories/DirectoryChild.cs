using System.Diagnostics;
using System.Text;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Subnets.Directories;

namespace FlannelFast.Control.Tests.Subnets.Directories;

/// <summary>What another process does to a store. The processes are this test program again, told to run one explicit test.</summary>
public sealed class DirectoryChild
{
    private const string Variable = "FLANNELFAST_TEST_STORE";

    /// <summary>A value that can be recognised whole: the key, and text that depends on it and is longer than one page.</summary>
    internal static byte[] Value(string key, int number) => Encoding.ASCII.GetBytes($"{key} {number} " + new string((char)('a' + number % 26), 5000 + number % 1000) + $" {number}");

    internal static bool IsWhole(string key, ReadOnlySpan<byte> value)
    {
        string[] words = Encoding.ASCII.GetString(value).Split(' ');
        return words.Length == 4 && words[0] == key && words[1] == words[3] && value.SequenceEqual(Value(key, int.Parse(words[1])));
    }

    /// <summary>Starts a process that runs one of the tests below on a store.</summary>
    internal static Process Start(string test, string store, string argument)
    {
        string runner = Environment.ProcessPath!;
        string[] assembly = Path.GetFileName(runner) == "dotnet" ? [typeof(DirectoryChild).Assembly.Location] : [];
        ProcessStartInfo start = new(runner, [.. assembly, "-noLogo", "-noColor", "-explicit", "only", "-method", $"{typeof(DirectoryChild).FullName}.{test}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        };
        start.Environment[Variable] = $"{store}|{argument}";
        return Process.Start(start)!;
    }

    /// <summary>Writes, replaces and deletes without end.</summary>
    [Fact(Explicit = true)]
    public async Task Write_for_ever()
    {
        (DirectoryRegistry registry, string argument) = Open();
        Random random = new(int.Parse(argument));
        while (true)
        {
            string key = $"k{random.Next(8)}";
            byte[] value = Value(key, random.Next(1000));
            RegistryEntry? now = await registry.ReadAsync(key, TestContext.Current.CancellationToken);
            if (now is null) await registry.CreateAsync(key, value, TimeSpan.FromDays(1), TestContext.Current.CancellationToken);
            else if (random.Next(4) == 0) await registry.DeleteAsync(key, now.ModRevision, TestContext.Current.CancellationToken);
            else await registry.ReplaceAsync(key, value, TimeSpan.FromDays(1), now.ModRevision, TestContext.Current.CancellationToken);
            if (random.Next(4) == 0) await registry.WriteConfigAsync(Value("config", random.Next(1000)), TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Tries to get each of 40 subnets, and writes down which it got.</summary>
    [Fact(Explicit = true)]
    public async Task Race()
    {
        (DirectoryRegistry registry, string argument) = Open();
        string[] keys = [.. Enumerable.Range(0, 40).Select(i => $"10.5.{i}.0-24")];
        new Random(int.Parse(argument)).Shuffle(keys);
        List<string> won = [];
        foreach (string key in keys)
        {
            if (await registry.CreateAsync(key, Encoding.ASCII.GetBytes(argument), TimeSpan.FromDays(1), TestContext.Current.CancellationToken) is not null)
                won.Add(key);
        }
        await File.WriteAllLinesAsync($"{Environment.GetEnvironmentVariable(Variable)!.Split('|')[0]}.won{argument}", won, TestContext.Current.CancellationToken);
    }

    private static (DirectoryRegistry Registry, string Argument) Open()
    {
        string[] parts = (Environment.GetEnvironmentVariable(Variable) ?? throw new InvalidOperationException($"{Variable} is not set: this is no test to run by hand")).Split('|');
        return (new(parts[0], TimeProvider.System, new Random()), parts[1]);
    }
}
