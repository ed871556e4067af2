using System.Runtime.InteropServices;
using FlannelFast.Control.Files;
using FlannelFast.Control.Tests.Netlink;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Files;

public sealed partial class AtomicFileTests : IDisposable
{
    private readonly TemporaryDirectory _files = new();

    [Fact]
    public void Writes_whole_files_and_leaves_nothing_else()
    {
        AtomicFile.Write(_files["a"], "one"u8);
        AtomicFile.Write(_files["a"], "two"u8);
        Assert.Equal("two", File.ReadAllText(_files["a"]));
        Assert.Equal(["a"], Names());
    }

    [Fact]
    public void Modes_do_not_depend_on_the_umask()
    {
        // The umask belongs to the process: a helper process has it.
        string script = $"umask 077; mkdir -p {_files["u"]}; umask";
        Assert.Equal("0077", NetworkNamespace.Shell(script).Trim());
        string path = Path.Combine(_files["u"], "x", "y", "a");
        int before = umask(0x3f);
        try
        {
            AtomicFile.Write(path, "one"u8);
            AtomicFile.Write(_files["secret"], "one"u8, UnixFileMode.UserRead);
        }
        finally
        {
            _ = umask(before);
        }
        Assert.Equal(AtomicFile.Shared, File.GetUnixFileMode(path));
        Assert.Equal(UnixFileMode.UserRead, File.GetUnixFileMode(_files["secret"]));
        foreach (string directory in new[] { Path.GetDirectoryName(path)!, Path.GetDirectoryName(Path.GetDirectoryName(path))! })
            Assert.Equal("755", NetworkNamespace.Shell($"stat -c %a {directory}").Trim());
        Assert.Equal("700", NetworkNamespace.Shell($"stat -c %a {_files["u"]}").Trim());
    }

    [Fact]
    public void A_link_in_place_of_the_file_is_replaced_and_not_followed()
    {
        _files.Write("target", "foreign");
        File.CreateSymbolicLink(_files["a"], _files["target"]);
        AtomicFile.Write(_files["a"], "own"u8);
        Assert.Equal("foreign", File.ReadAllText(_files["target"]));
        Assert.Null(new FileInfo(_files["a"]).LinkTarget);
        Assert.Equal("own", File.ReadAllText(_files["a"]));
    }

    [Fact]
    public void Reads_what_is_there_and_refuses_what_is_no_file()
    {
        Assert.Null(AtomicFile.TryRead(_files["none"], 10));
        Assert.Null(AtomicFile.TryRead(Path.Combine(_files["none"], "a"), 10));
        _files.Write("ten", "0123456789");
        Assert.Equal("0123456789"u8.ToArray(), AtomicFile.TryRead(_files["ten"], 10));
        Refused("longer than 9 bytes", _files["ten"], 9);
        File.CreateSymbolicLink(_files["link"], _files["ten"]);
        Refused("symbolic link", _files["link"]);
        Directory.CreateDirectory(_files["directory"]);
        Refused("directory", _files["directory"]);
        NetworkNamespace.Shell($"mkfifo {_files["fifo"]}");
        Refused("FIFO", _files["fifo"]);

        static void Refused(string reason, string path, int limit = 100)
        {
            string message = Assert.Throws<IOException>(() => AtomicFile.TryRead(path, limit)).Message;
            Assert.StartsWith($"cannot read {path}: ", message, StringComparison.Ordinal);
            Assert.Contains(reason, message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_full_disk_leaves_the_old_file_and_no_temporary_one()
    {
        string mount = Directory.CreateDirectory(_files["full"]).FullName;
        NetworkNamespace.Shell($"mount -t tmpfs -o size=64k tmpfs {mount}");
        try
        {
            string path = Path.Combine(mount, "a");
            AtomicFile.Write(path, "old"u8);
            string message = Assert.Throws<IOException>(() => AtomicFile.Write(path, new byte[100_000])).Message;
            Assert.Equal($"cannot write {path}: No space left on device (errno 28)", message);
            Assert.Equal("old", File.ReadAllText(path));
            Assert.Equal([path], Directory.GetFiles(mount));
            NetworkNamespace.Shell($"mount -o remount,ro {mount}");
            message = Assert.Throws<IOException>(() => AtomicFile.Write(path, "new"u8)).Message;
            Assert.Equal($"cannot write {path}: Read-only file system (errno 30)", message);
            Assert.Equal("old", File.ReadAllText(path));
        }
        finally
        {
            NetworkNamespace.Shell($"umount {mount}");
        }
    }

    [Fact]
    public void A_directory_in_place_of_the_file_or_a_file_in_place_of_the_directory_is_reported()
    {
        Directory.CreateDirectory(_files["a"]);
        Assert.StartsWith($"cannot write {_files["a"]}: ", Assert.Throws<IOException>(() => AtomicFile.Write(_files["a"], "x"u8)).Message, StringComparison.Ordinal);
        string below = Path.Combine(_files.Write("file", "x"), "b");
        Assert.StartsWith($"cannot write {below}: ", Assert.Throws<IOException>(() => AtomicFile.Write(below, "x"u8)).Message, StringComparison.Ordinal);
        Assert.Equal(["a", "file"], Names());
    }

    [Fact]
    public void Leftovers_of_killed_writers_are_removed_and_nothing_else()
    {
        foreach (string name in new[] { ".a.0123abcd.tmp", ".a.tmp", ".ab.0123abcd.tmp", "a", ".a.0123abcd" }) _files.Write(name, "x");
        AtomicFile.RemoveLeftovers(_files["a"]);
        Assert.Equal([".a.0123abcd", ".a.tmp", ".ab.0123abcd.tmp", "a"], Names());
        AtomicFile.RemoveLeftovers(Path.Combine(_files["none"], "a"));
    }

    public void Dispose() => _files.Dispose();

    private string[] Names() => [.. Directory.GetFileSystemEntries(_files["."]).Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal)];

    [LibraryImport("libc")]
    private static partial int umask(int mask);
}
