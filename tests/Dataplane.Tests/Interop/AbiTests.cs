using System.Reflection;
using System.Runtime.InteropServices;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Dataplane.Tests.Interop;

public sealed class AbiTests
{
    [Fact]
    public void Every_struct_and_constant_is_what_the_C_headers_say()
    {
        if (CCompiler.FirstError(AbiProgram.ForInterop()) is { } error) Assert.Fail(error);
    }

    [Theory]
    [InlineData("TUNSETIFF == 0x400454cb", "Libc.TUNSETIFF")]
    [InlineData("EAGAIN == 12", "Errno.EAGAIN")]
    [InlineData("sizeof(struct sockaddr_in) == 17", "size of struct sockaddr_in")]
    [InlineData("offsetof(struct ifreq, ifr_flags) == 18", "offset of ifreq.ifr_flags")]
    public void A_difference_is_refused_and_named(string wrong, string item)
    {
        string? error = CCompiler.FirstError(AbiProgram.ForAssertion(wrong, item));
        Assert.NotNull(error);
        Assert.Contains("static assertion failed", error, StringComparison.Ordinal);
        Assert.Contains(item, error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_that_C_does_not_have_is_refused()
    {
        string? error = CCompiler.FirstError(AbiProgram.ForAssertion("TUNSETNOTHING == 1", "Libc.TUNSETNOTHING"));
        Assert.NotNull(error);
        Assert.Contains("TUNSETNOTHING", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_true_assertion_compiles() =>
        Assert.Null(CCompiler.FirstError(AbiProgram.ForAssertion("TUNSETIFF == 0x400454ca", "Libc.TUNSETIFF")));

    [Fact]
    public void A_struct_with_a_field_in_the_wrong_place_is_refused()
    {
        string? error = CCompiler.FirstError(AbiProgram.ForStruct(typeof(Swapped.iovec)));
        Assert.NotNull(error);
        Assert.Contains("offset of iovec.iov_len is 0 in C#", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_struct_with_a_field_of_the_wrong_size_is_refused()
    {
        string? error = CCompiler.FirstError(AbiProgram.ForStruct(typeof(Swapped.pollfd)));
        Assert.NotNull(error);
        Assert.Contains("size of pollfd.events is 1 in C#", error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_program_covers_private_public_and_mutable_members()
    {
        string program = AbiProgram.ForInterop();
        Assert.Contains("sizeof(struct virtio_net_hdr) == 10", program, StringComparison.Ordinal);
        Assert.Contains("offsetof(struct ifreq, ifr_flags) == 16", program, StringComparison.Ordinal);
        Assert.Contains("offsetof(struct sockaddr_in, sin_port) == 2", program, StringComparison.Ordinal);
        Assert.Contains("(long long)(IFNAMSIZ) == 16LL", program, StringComparison.Ordinal);
        Assert.Contains("(long long)(EPERM) == 1LL", program, StringComparison.Ordinal);
        Assert.Contains("(long long)(CMSG_SPACE(8)) == 24LL", program, StringComparison.Ordinal);
        Assert.Equal(AbiProgram.Structs().Count(), Occurrences(program, "\"size of struct "));
        Assert.Equal(AbiProgram.Constants().Count(), Occurrences(program, "\"Libc.") + Occurrences(program, "\"Errno.")
            - Occurrences(program, "#error"));
    }

    [Fact]
    public void Exceptions_name_things_that_exist()
    {
        const BindingFlags AllStatic = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;
        HashSet<string> known =
        [
            .. typeof(Libc).GetFields(AllStatic).Concat(typeof(Errno).GetFields(AllStatic)).Select(AbiProgram.Name),
            .. typeof(Libc).Assembly.GetTypes().Where(t => t.Namespace == typeof(Libc).Namespace).Select(t => t.Name),
        ];
        Assert.Superset(new HashSet<string>(AbiExceptions.NotFromC.Keys), known);
        Assert.Superset(new HashSet<string>(AbiExceptions.Expressions.Keys), known);
        Assert.Superset(new HashSet<string>(AbiExceptions.NewerThanHeaders.Keys), known);
    }

    private static int Occurrences(string text, string part) => text.Split(part).Length - 1;

    /// <summary>Mirrors with one mistake each; never handed to the kernel.</summary>
    private static class Swapped
    {
#pragma warning disable IDE1006, CS8981, CS0649 // The names must be C's for the comparison; nothing ever fills the fields.
        internal struct iovec
        {
            internal nuint iov_len;
            internal nint iov_base;
        }

        [StructLayout(LayoutKind.Sequential, Pack = 1, Size = 8)]
        internal struct pollfd
        {
            internal int fd;
            internal byte events;
        }
#pragma warning restore IDE1006, CS8981, CS0649
    }
}
