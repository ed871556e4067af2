using System.Text;
using FlannelFast.Control.Tests.Netlink;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Tun;

namespace FlannelFast.Dataplane.Tests.Tun;

/// <summary>A device that goes away under its queues, in every order that a host can bring about.</summary>
public sealed unsafe class TunDeviceTests
{
    private const string Name = "ff0";

    [Fact]
    public void A_deleted_device_is_made_again_on_all_queues() => InNamespace(() =>
    {
        using TunDevice device = TunDevice.Create(Name, 3, TunOffloads.Uso);
        Delete();
        Assert.Equal([false, false, false], Attached(device));
        device.Recreate();
        Assert.Equal([true, true, true], Attached(device));
    });

    /// <summary>Deleted while its queues are attached one by one: the first is left alone, the next has made the device anew.</summary>
    [Theory, InlineData(0), InlineData(2)]
    public void Queues_that_have_a_device_keep_it(int attached) => InNamespace(() =>
    {
        using TunDevice device = TunDevice.Create(Name, 3, TunOffloads.Uso);
        Delete();
        Attach(device.QueueFd(attached));
        device.Recreate();
        Assert.Equal([true, true, true], Attached(device));
    });

    /// <summary>A worker may report a loss after the device came back.</summary>
    [Theory, InlineData(1), InlineData(3)]
    public void Making_a_device_again_that_is_there_changes_nothing(int queues) => InNamespace(() =>
    {
        using TunDevice device = TunDevice.Create(Name, queues, TunOffloads.Uso);
        device.Recreate();
        Assert.All(Attached(device), Assert.True);
    });

    [Fact]
    public void A_name_that_somebody_else_took_meanwhile_is_not_joined() => InNamespace(() =>
    {
        using TunDevice device = TunDevice.Create(Name, 2, TunOffloads.Uso);
        Delete();
        using TunDevice other = TunDevice.Create(Name, 2, TunOffloads.Uso);
        Assert.Equal(Errno.EBUSY, Assert.Throws<ErrnoException>(device.Recreate).Errno);
        Assert.Equal([false, false], Attached(device));
        other.Dispose();
        device.Recreate();
        Assert.Equal([true, true], Attached(device));
    });

    /// <summary>flannel's name: the kernel puts the lowest free number there, for all queues the same, and the device keeps it.</summary>
    [Theory, InlineData(1), InlineData(2)]
    public void A_pattern_takes_the_first_free_name(int queues) => InNamespace(() =>
    {
        using TunDevice first = TunDevice.Create("ff%d", queues, TunOffloads.Uso), second = TunDevice.Create("ff%d", queues, TunOffloads.Uso);
        Assert.Equal(("ff0", "ff1"), (first.Name, second.Name));
        Delete();
        first.Recreate();
        Assert.Equal("ff0", first.Name);
        Assert.All(Attached(first), Assert.True);
    });

    private static void Delete() => NetworkNamespace.Shell($"ip link delete {Name}");

    private static void Attach(int queue)
    {
        ifreq request = default;
        Encoding.ASCII.GetBytes(Name, new Span<byte>(request.ifr_name, Libc.IFNAMSIZ - 1));
        request.ifr_flags = Libc.IFF_TUN | Libc.IFF_NO_PI | Libc.IFF_MULTI_QUEUE | Libc.IFF_VNET_HDR;
        SysResult.From(Libc.ioctl(queue, Libc.TUNSETIFF, &request)).ThrowOnError("cannot attach a queue");
    }

    private static bool[] Attached(TunDevice device)
    {
        bool[] attached = new bool[device.QueueCount];
        ifreq answer = default;
        for (int i = 0; i < attached.Length; i++) attached[i] = Libc.ioctl(device.QueueFd(i), Libc.TUNGETIFF, &answer) == 0;
        return attached;
    }

    private static void InNamespace(Action test) => NetworkNamespace.Run(test);
}
