using System.Collections.Concurrent;
using FlannelFast.Control.Netlink;
using FlannelFast.Dataplane.Interop;
using static FlannelFast.Control.Tests.Netlink.NetworkNamespace;
using static FlannelFast.Control.Tests.Netlink.Wire;

namespace FlannelFast.Control.Tests.Netlink;

public sealed class IpsecPoliciesTests
{
    private const string Policy = "src 10.1.0.0/16 dst 10.2.0.0/16 dir";

    [Theory, InlineData("in"), InlineData("out"), InlineData("fwd")]
    public void A_policy_is_seen_coming_and_going(string direction) => Run(() =>
    {
        MustHaveIpsec();
        using BlockingCollection<NetworkChange> seen = [];
        using IpsecPolicies policies = new(seen.Add);
        Assert.False(policies.Exist());
        Assert.Empty(seen);
        Shell($"ip xfrm policy add {Policy} {direction} tmpl src 192.0.2.1 dst 192.0.2.2 proto esp mode tunnel");
        Assert.True(seen.TryTake(out NetworkChange? added, 10_000) && added is IpsecPolicyChanged);
        Assert.True(policies.Exist());
        Shell($"ip xfrm policy delete {Policy} {direction}");
        Assert.True(seen.TryTake(out NetworkChange? deleted, 10_000) && deleted is IpsecPolicyChanged);
        Assert.False(policies.Exist());
    });

    [Fact]
    public void Blocking_what_no_policy_matches_counts() => Run(() =>
    {
        MustHaveIpsec();
        using BlockingCollection<NetworkChange> seen = [];
        using IpsecPolicies policies = new(seen.Add);
        Shell("ip xfrm policy setdefault out block");
        Assert.True(seen.TryTake(out _, 10_000));
        Assert.True(policies.Exist());
        Shell("ip xfrm policy setdefault out accept");
        Assert.False(policies.Exist());
    });

    /// <summary>The same answers as a kernel gives, which also one without IPsec can check: counts per direction, then those of sockets.</summary>
    [Theory]
    [InlineData(0, 0, 0, 0, 2, false)]
    [InlineData(1, 0, 0, 0, 2, true)]
    [InlineData(0, 1, 0, 0, 2, true)]
    [InlineData(0, 0, 1, 0, 2, true)]
    [InlineData(0, 0, 0, 9, 2, false)]
    [InlineData(0, 0, 0, 0, 1, true)]
    public void The_answer_is_understood(uint incoming, uint outgoing, uint forwarded, uint ofSockets, byte byDefault, bool exist)
    {
        byte[] counts = Join(U32(incoming), U32(outgoing), U32(forwarded), U32(ofSockets), U32(ofSockets), U32(ofSockets));
        using FakeKernel kernel = new(request =>
        [
            TypeOf(request) == 0x25
                ? Message(0x24, 0, SequenceOf(request), U32(0), Attribute(2, U32(7), U32(127)), Attribute(1, counts))
                : Message(0x28, 0, SequenceOf(request), U8(2, 2, byDefault)),
            Acknowledge(request, 0),
        ]);
        using IpsecPolicies policies = new(kernel.Connect());
        Assert.Equal(exist, policies.Exist());
        Assert.Equal(Message(0x25, 5, 1, U32(0)), kernel.Requests.First());
    }

    [Fact]
    public void A_kernel_too_old_for_a_default_policy_has_none()
    {
        using FakeKernel kernel = new(request => TypeOf(request) == 0x25
            ? [Message(0x24, 0, SequenceOf(request), U32(0), Attribute(1, new byte[24])), Acknowledge(request, 0)]
            : [Acknowledge(request, Errno.EINVAL)]);
        using IpsecPolicies policies = new(kernel.Connect());
        Assert.False(policies.Exist());
        Assert.Equal([0x25, 0x28], kernel.Requests.Select(request => (int)TypeOf(request)));
    }

    [Theory]
    [InlineData(Errno.EPERM)]
    [InlineData(Errno.EINVAL)]
    public void A_refusal_is_no_answer(int errno)
    {
        using FakeKernel kernel = new(request => [Acknowledge(request, errno)]);
        using IpsecPolicies policies = new(kernel.Connect());
        Assert.StartsWith("cannot count IPsec policies: ", Assert.Throws<NetlinkException>(() => policies.Exist()).Message);
    }

    [Fact]
    public void An_answer_without_numbers_is_no_answer()
    {
        using FakeKernel kernel = new(request => [Message(0x24, 0, SequenceOf(request), U32(0), Attribute(1, new byte[8])), Acknowledge(request, 0)]);
        using IpsecPolicies policies = new(kernel.Connect());
        Assert.Equal(Errno.EBADMSG, Assert.Throws<NetlinkException>(() => policies.Exist()).Errno);
    }

    private static void MustHaveIpsec() => Assert.SkipUnless(File.Exists("/proc/net/xfrm_stat") || File.Exists("/proc/sys/net/core/xfrm_acq_expires"), "this kernel has no IPsec");
}
