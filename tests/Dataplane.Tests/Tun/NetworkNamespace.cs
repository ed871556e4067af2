using System.Diagnostics;
using System.Runtime.InteropServices;

namespace FlannelFast.Dataplane.Tests.Tun;

/// <summary>A network namespace for the time of one test.</summary>
internal static partial class NetworkNamespace
{
    private const int CloneNewNet = 0x40000000;

    /// <summary>unshare(2) moves only the calling thread, and children it starts; the namespace ends with both.</summary>
    public static void Run(Action test)
    {
        Exception? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                if (Unshare(CloneNewNet) != 0) Assert.Fail("these tests make network namespaces: run them as root");
                test();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null) throw new InvalidOperationException("in the namespace: " + failure.Message, failure);
    }

    /// <summary>Runs <c>ip</c> in the namespace of the calling thread.</summary>
    public static void Ip(params string[] arguments)
    {
        using Process ip = Process.Start("ip", arguments);
        ip.WaitForExit();
        Assert.Equal(0, ip.ExitCode);
    }

    [LibraryImport("libc", EntryPoint = "unshare")]
    private static partial int Unshare(int flags);
}
