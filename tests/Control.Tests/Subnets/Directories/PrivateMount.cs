using System.Diagnostics;

namespace FlannelFast.Control.Tests.Subnets.Directories;

/// <summary>
/// A tmpfs in a mount namespace of its own, which nobody else sees and which ends with the process that holds it, also when the tests
/// are killed (its standard input closes). Reached through /proc/PID/root.
/// </summary>
internal sealed class PrivateMount : IDisposable
{
    private readonly Process _holder;

    /// <param name="options">Of mount(8): "size=64k".</param>
    public PrivateMount(string options)
    {
        _holder = Process.Start(new ProcessStartInfo("unshare", ["--user", "--map-root-user", "--mount", "sh", "-c", "mount -t tmpfs -o $0 tmpfs /mnt && echo ready && read line", options])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        Assert.Equal("ready", _holder.StandardOutput.ReadLine());
    }

    public string Root => $"/proc/{_holder.Id}/root/mnt";

    /// <summary>Changes the options while the files stay.</summary>
    public void Remount(string options)
    {
        using var remount = Process.Start("nsenter", ["--user", "--mount", "--preserve-credentials", "--target", $"{_holder.Id}", "mount", "-o", $"remount,{options}", "/mnt"]);
        remount.WaitForExit();
        Assert.Equal(0, remount.ExitCode);
    }

    public void Dispose()
    {
        _holder.StandardInput.Close();
        _holder.WaitForExit();
        _holder.Dispose();
    }
}
