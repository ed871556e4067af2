using System.Diagnostics;
using FlannelFast.Control.Netlink;
using FlannelFast.Dataplane.Interop;
using static FlannelFast.Control.Tests.Netlink.Wire;

namespace FlannelFast.Control.Tests.Netlink;

public sealed class NetlinkSocketTests
{
    [Fact]
    public void A_request_is_done_when_it_is_acknowledged()
    {
        using FakeKernel kernel = new(request => [Acknowledge(request, 0)]);
        using NetlinkSocket socket = kernel.Connect();
        socket.Execute(Request(), () => "do it");
        byte[] sent = Assert.Single(kernel.Requests);
        Assert.Equal(Message(19, Libc.NLM_F_REQUEST | Libc.NLM_F_ACK, SequenceOf(sent), LinkHeader(7)), sent);
    }

    [Fact]
    public void Every_request_has_its_own_sequence_number()
    {
        using FakeKernel kernel = new(request => [Acknowledge(request, 0)]);
        using NetlinkSocket socket = kernel.Connect();
        for (int i = 0; i < 100; i++) socket.Execute(Request(), () => "do it");
        Assert.Equal(100, kernel.Requests.Select(SequenceOf).Distinct().Count());
    }

    [Fact]
    public void An_error_says_what_was_attempted_and_what_the_kernel_answered()
    {
        using FakeKernel kernel = new(request => [Acknowledge(request, Errno.EEXIST)]);
        using NetlinkSocket socket = kernel.Connect();
        NetlinkException e = Assert.Throws<NetlinkException>(() => socket.Execute(Request(), () => "add route 10.5.0.0/16 dev ff0"));
        Assert.Equal("cannot add route 10.5.0.0/16 dev ff0: File exists (errno 17)", e.Message);
        Assert.Equal(Errno.EEXIST, e.Errno);
        Assert.Null(e.Detail);
    }

    [Fact]
    public void The_kernels_sentence_is_found_behind_a_request_cut_short_and_behind_a_whole_one()
    {
        bool capped = true;
        byte[] sentence = Attribute(1, Text("mtu greater than device maximum"));
        using FakeKernel kernel = new(request =>
        [
            Message(2, (ushort)(capped ? 0x300 : 0x200), SequenceOf(request), U32(unchecked((uint)-22)), capped ? request[..16] : request,
                Attribute(2, U32(32)), sentence),
        ]);
        using NetlinkSocket socket = kernel.Connect();
        for (int i = 0; i < 2; i++, capped = false)
        {
            NetlinkException e = Assert.Throws<NetlinkException>(() => socket.Execute(Request(), () => "set MTU 70000 on ff0"));
            Assert.Equal("cannot set MTU 70000 on ff0: Invalid argument (errno 22): mtu greater than device maximum", e.Message);
        }
    }

    [Fact]
    public void Answers_to_other_requests_are_passed_over()
    {
        using FakeKernel kernel = new(request =>
        [
            Message(2, 0, SequenceOf(request) - 1, U32(unchecked((uint)-22)), request[..16]),
            Message(2, 0, 0, U32(unchecked((uint)-22)), request[..16]),
            Acknowledge(request, 0),
        ]);
        using NetlinkSocket socket = kernel.Connect();
        socket.Execute(Request(), () => "do it");
        socket.Execute(Request(), () => "do it");
    }

    [Fact]
    public void Silence_ends_in_an_error_and_a_late_answer_does_no_harm()
    {
        byte[]? late = null;
        bool silent = true;
        using FakeKernel kernel = new(request =>
        {
            if (!silent) return [Acknowledge(request, Errno.EPERM)];
            late = Acknowledge(request, 0);
            return [];
        });
        using NetlinkSocket socket = kernel.Connect(milliseconds: 2000);
        long started = Stopwatch.GetTimestamp();
        NetlinkException e = Assert.Throws<NetlinkException>(() => socket.Execute(Request(), () => "do it"));
        Assert.Equal(Errno.ETIMEDOUT, e.Errno);
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalMilliseconds, 1990, 30_000);
        kernel.Push(late!);
        silent = false;
        Assert.Equal(Errno.EPERM, Assert.Throws<NetlinkException>(() => socket.Execute(Request(), () => "do it")).Errno);
    }

    [Fact]
    public void A_dump_gathers_the_parts_of_several_datagrams()
    {
        using FakeKernel kernel = new(request =>
        [
            Join(LinkMessage(request, 1, "lo"), LinkMessage(request, 2, "eth0")),
            LinkMessage(request, 3, "ff0"),
            Done(request),
        ]);
        using NetlinkSocket socket = kernel.Connect();
        Assert.Equal(["lo", "eth0", "ff0"], new LinkClient(socket).List().Select(link => link.Name));
        Assert.Equal(Libc.NLM_F_REQUEST | Libc.NLM_F_DUMP, FlagsOf(Assert.Single(kernel.Requests)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_interrupted_dump_is_repeated_whole(bool flagOnTheEnd)
    {
        int dumps = 0;
        const ushort Interrupted = Libc.NLM_F_MULTI | Libc.NLM_F_DUMP_INTR;
        using FakeKernel kernel = new(request =>
        {
            bool interrupted = ++dumps < 3;
            return
            [
                LinkMessage(request, 1, "lo", interrupted && !flagOnTheEnd ? Interrupted : Libc.NLM_F_MULTI),
                Done(request, interrupted && flagOnTheEnd ? Interrupted : Libc.NLM_F_MULTI),
            ];
        });
        using NetlinkSocket socket = kernel.Connect();
        Assert.Equal(["lo"], new LinkClient(socket).List().Select(link => link.Name));
        Assert.Equal(3, dumps);
    }

    [Fact]
    public void A_dump_interrupted_for_ever_is_an_error()
    {
        using FakeKernel kernel = new(request => [Done(request, Libc.NLM_F_MULTI | Libc.NLM_F_DUMP_INTR)]);
        using NetlinkSocket socket = kernel.Connect();
        NetlinkException e = Assert.Throws<NetlinkException>(() => new LinkClient(socket).List());
        Assert.Equal("cannot list links: Interrupted system call (errno 4): the table changed during each of 10 attempts", e.Message);
        Assert.Equal(10, kernel.Requests.Count);
    }

    [Fact]
    public void An_error_at_the_end_of_a_dump_is_an_error()
    {
        using FakeKernel kernel = new(request => [LinkMessage(request, 1, "lo"), Done(request, errno: Errno.ENOMEM)]);
        using NetlinkSocket socket = kernel.Connect();
        Assert.Equal(Errno.ENOMEM, Assert.Throws<NetlinkException>(() => new LinkClient(socket).List()).Errno);
    }

    [Fact]
    public void A_datagram_larger_than_the_buffer_is_received_whole()
    {
        using FakeKernel kernel = new(request =>
        [
            Join([.. Enumerable.Range(1, 2500).Select(i => LinkMessage(request, i, $"veth{i}"))]),
            Done(request),
        ]);
        using NetlinkSocket socket = kernel.Connect();
        List<Link> links = new LinkClient(socket).List();
        Assert.Equal(2500, links.Count);
        Assert.Equal("veth2500", links[^1].Name);
    }

    [Fact]
    public void Bytes_that_are_no_message_are_an_error_at_once()
    {
        using FakeKernel kernel = new(request => [[1, 2, 3]]);
        using NetlinkSocket socket = kernel.Connect();
        Assert.Equal(Errno.EBADMSG, Assert.Throws<NetlinkException>(() => socket.Execute(Request(), () => "do it")).Errno);
    }

    [Fact]
    public void An_acknowledgement_without_the_object_asked_for_is_an_error()
    {
        using FakeKernel kernel = new(request => [Acknowledge(request, 0)]);
        using NetlinkSocket socket = kernel.Connect();
        Assert.Equal(Errno.EBADMSG, Assert.Throws<NetlinkException>(() => new LinkClient(socket).Find("eth0")).Errno);
    }

    [Fact]
    public void Threads_may_share_a_socket()
    {
        using FakeKernel kernel = new(request => [LinkMessage(request, BitConverter.ToInt32(request, 20), "x"), Acknowledge(request, 0)]);
        using NetlinkSocket socket = kernel.Connect();
        LinkClient links = new(socket);
        Parallel.For(1, 1000, index => Assert.Equal(index, links.Get(index).Index));
    }

    private static byte[] Request()
    {
        NetlinkMessageBuilder message = new(new byte[64], Libc.RTM_SETLINK);
        message.Append(new ifinfomsg { ifi_index = 7 });
        return message.Finish().ToArray();
    }

    private static byte[] LinkMessage(byte[] request, int index, string name, ushort flags = Libc.NLM_F_MULTI) =>
        Message(16, flags, SequenceOf(request), LinkHeader(index), Attribute(3, Text(name)));
}
