using FlannelFast.Lab.Profiling;
using FlannelFast.Lab.Reports;

namespace FlannelFast.Lab.Tests.Profiling;

public sealed class StackFolderTests
{
    private const string Egress = "FlannelFast_Dataplane_FlannelFast_Dataplane_Engine_PacketWorker_2<A__B>__Egress";

    private const string Sending = $"""
        worker 0  4711 
        	ffffffff81a0b1c2 udp_sendmsg ([kernel.kallsyms])
        	ffffffff81a0b1c2 __x64_sys_sendmmsg ([kernel.kallsyms])
        	ffffffff81a0b1c2 do_syscall_64 ([kernel.kallsyms])
        	    7f0012345678 __sendmmsg (/usr/lib/x86_64-linux-gnu/libc.so.6)
        	    55e012345678 {Egress} (/opt/flannel fast/flannelfast (deleted))


        """;

    [Fact]
    public void Equal_stacks_are_one_line_from_the_thread_inwards()
    {
        StackFolder folder = Fold([4711], Sending, Sending);
        Assert.Equal("worker 0;PacketWorker.Egress;__sendmmsg;do_syscall_64_[k];__x64_sys_sendmmsg_[k];udp_sendmsg_[k] 2\n", Folded(folder));
        Assert.Equal(2, folder.Root.Total);
        Assert.Equal([new ThreadShare("daemons", 100, 100)], folder.Tally.Threads());
        Assert.Equal([new SystemCallShare("sendmmsg", 100)], folder.Tally.SystemCalls());
        Assert.Equal(100, folder.Tally.Percent(FrameKind.Kernel));
    }

    [Fact]
    public void System_calls_count_for_the_daemons_only()
    {
        StackFolder folder = Fold([1], Sending);
        Assert.Equal([new ThreadShare("worker 0", 100, 100)], folder.Tally.Threads());
        Assert.Empty(folder.Tally.SystemCalls());
    }

    [Theory]
    [InlineData("__x64_sys_read;do_syscall_64", "read")]
    [InlineData("__x64_sys_read;x64_sys_call;do_syscall_64", "read")]
    [InlineData("vfs_writev;do_writev;do_syscall_64", "writev")]
    [InlineData("vfs_read;ksys_read;x64_sys_call;do_syscall_64", "read")]
    [InlineData("__arm64_sys_sendmmsg;invoke_syscall;el0_svc_common;el0_svc", "sendmmsg")]
    [InlineData("schedule;exit_to_user_mode_loop;do_syscall_64", null)]
    [InlineData("do_syscall_64", null)]
    [InlineData("do_user_addr_fault;asm_exc_page_fault", null)]
    public void A_system_call_is_named_also_where_its_first_function_has_jumped_on(string frames, string? call)
    {
        StackFolder folder = Fold([77], "x 77\n" + string.Concat(frames.Split(';').Select(f => $"\tffffffff81000000 {f} ([kernel.kallsyms])\n")));
        Assert.Equal(call is null ? [] : [new SystemCallShare(call, 100)], folder.Tally.SystemCalls());
    }

    [Fact]
    public void Whose_code_it_is_decides_the_kind()
    {
        StackFolder folder = Fold([], Sending);
        Assert.Equal(
            [FrameKind.Thread, FrameKind.Thread, FrameKind.Own, FrameKind.Library, FrameKind.Kernel, FrameKind.Kernel, FrameKind.Kernel],
            folder.Root.WithDescendants().Select(n => n.Frame.Kind));
    }

    [Fact]
    public void The_idle_loop_is_idle_until_an_interrupt_brings_work()
    {
        StackFolder folder = Fold([], """
            swapper     0 
            	ffffffff81000001 pv_native_safe_halt ([kernel.kallsyms])
            	ffffffff81000002 do_idle ([kernel.kallsyms])

            swapper     0 
            	ffffffff81000003 vxlan_rcv ([vxlan])
            	ffffffff81000004 handle_softirqs ([kernel.kallsyms])
            	ffffffff81000005 asm_sysvec_call_function_single ([kernel.kallsyms])
            	ffffffff81000001 pv_native_safe_halt ([kernel.kallsyms])
            	ffffffff81000002 do_idle ([kernel.kallsyms])

            """);
        Assert.Equal("""
            swapper;do_idle_[k];pv_native_safe_halt_[k] 1
            swapper;do_idle_[k];pv_native_safe_halt_[k];asm_sysvec_call_function_single_[k];handle_softirqs_[k];vxlan_rcv_[k] 1

            """, Folded(folder));
        Assert.Equal((50, 50), (folder.Tally.Percent(FrameKind.Idle), folder.Tally.Percent(FrameKind.Kernel)));
    }

    [Theory]
    // Names with spaces, one that ends in a number, one like an address, none, one with a line feed, semicolons.
    [InlineData(".NET TP Worker  77 \n", ".NET TP Worker 1\n")]
    [InlineData("core 12  77 \n", "core 12 1\n")]
    [InlineData("\tabc def  77 \n\t55e0 f (/bin/x)\n", "abc def;f 1\n")]
    [InlineData(" 77 \n", "[unnamed] 1\n")]
    [InlineData("a\nb  77 \n\t55e0 f (/bin/x)\n", "a?b;f 1\n")]
    [InlineData("a;b;c 77 \n\t55e0 f (/bin/x)\n", "a:b:c;f 1\n")]
    [InlineData(":-1 -1 \n\t55e0 f (/bin/x)\n", ":-1;f 1\n")]
    // Frames without symbol, without file, without anything; parentheses in all places.
    [InlineData("x 77\n\t7f00 [unknown] (/lib/libc.so.6)\n", "x;[libc.so.6] 1\n")]
    [InlineData("x 77\n\t7f00 [unknown] ([unknown])\n", "x;[unknown] 1\n")]
    [InlineData("x 77\n\t7f00 [unknown] ([vdso])\n", "x;[vdso] 1\n")]
    [InlineData("x 77\n\t7f00\n", "x;[unknown] 1\n")]
    [InlineData("x 77\n\t7f00 \n", "x;[unknown] 1\n")]
    [InlineData("x 77\n\t7f00 f(int, char (*)(long)) (/tmp/a (1)/b)\n", "x;f(int, char (*)(long)) 1\n")]
    [InlineData("x 77\n\t7f00 [unknown] (/tmp/a)b)\n", "x;[a)b] 1\n")]
    [InlineData("x 77\n\t7f00 [unknown] (/tmp/a(b)\n", "x;[a(b] 1\n")]
    [InlineData("x 77\n\tffffffffc0001234 [unknown] ([vxlan])\n", "x;[vxlan]_[k] 1\n")]
    // Lines that are nothing.
    [InlineData("x 77\n\t7f00 f (/bin/x)\nnonsense\n\tzz\n\t7f01 g (/bin/x)\n", "x;g;f 1\n")]
    [InlineData("\n\n  \n", "")]
    public void Odd_input_is_folded_as_well_as_it_can_be(string input, string folded)
    {
        StackFolder folder = Fold([], input);
        Assert.Equal(folded, Folded(folder));
        Assert.Equal(0, folder.Unreadable);
    }

    [Fact]
    public void A_sample_without_a_process_id_is_left_out_and_counted()
    {
        StackFolder folder = Fold([], "nothing\n\n", "x 77\n\t7f00 f (/bin/x)\n\n", "broken off");
        Assert.Equal(2, folder.Unreadable);
        Assert.Equal("x;f 1\n", Folded(folder));
    }

    [Fact]
    public void A_stack_without_end_keeps_its_innermost_frames()
    {
        StackFolder folder = new([]);
        folder.Add("deep 77");
        for (int i = 0; i < 100_000; i++) folder.Add($"\t7f00 f{i % 3} (/bin/x)");
        folder.Finish();
        CallNode[] nodes = [.. folder.Root.WithDescendants()];
        Assert.Equal(1 + 1 + 1024, nodes.Length);
        Assert.Equal("f0", nodes.Single(n => n.Self == 1).Frame.Name);
    }

    private static StackFolder Fold(int[] daemons, params string[] inputs)
    {
        StackFolder folder = new(daemons);
        foreach (string input in inputs)
        {
            foreach (string line in input.Split('\n')) folder.Add(line);
        }
        folder.Finish();
        return folder;
    }

    private static string Folded(StackFolder folder)
    {
        using StringWriter output = new();
        folder.Root.WriteFolded(output);
        return output.ToString();
    }
}
