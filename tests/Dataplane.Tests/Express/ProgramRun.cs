using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Dataplane.Tests.Express;

/// <summary>Runs a loaded program on a frame without any device (BPF_PROG_TEST_RUN): the kernel's own verdict, and what became of the frame.</summary>
internal static unsafe class ProgramRun
{
    internal const int Next = -1, Redirect = 7;

    internal static (int Verdict, byte[] Frame) On(NativeFd program, byte[] frame)
    {
        const int command = 10;
        byte* attr = stackalloc byte[Libc.BpfAttrSize];
        var room = new byte[frame.Length + 256];
        fixed (byte* input = frame, output = room)
        {
            // union bpf_attr, test: prog_fd, retval, data_size_in, data_size_out, data_in, data_out.
            *(int*)attr = program.Number;
            *(int*)(attr + 8) = frame.Length;
            *(int*)(attr + 12) = room.Length;
            *(ulong*)(attr + 16) = (ulong)input;
            *(ulong*)(attr + 24) = (ulong)output;
            SysResult.From(Libc.bpf(Libc.SYS_bpf, command, attr, Libc.BpfAttrSize)).ThrowOnError("cannot run the program");
            return (*(int*)(attr + 4), room[..*(int*)(attr + 12)]);
        }
    }
}
