using System.Text;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Dataplane.Express;

/// <summary>The commands of bpf(2) that the lane needs. Objects live as long as a descriptor or another object holds them.</summary>
internal static unsafe class Bpf
{
    private const int LogSize = 64 * 1024;

    /// <summary>Loads a program. The verifier's last words are in the error.</summary>
    /// <param name="name">At most 15 characters, for those who list programs.</param>
    /// <param name="code">From <see cref="BpfAssembler.Build"/>.</param>
    /// <param name="type">Of the interface's queueing layer (tcx), or of its driver (XDP).</param>
    /// <exception cref="ErrnoException">The kernel refused.</exception>
    internal static NativeFd LoadProgram(string name, ReadOnlySpan<ulong> code, uint type = Libc.BPF_PROG_TYPE_SCHED_CLS)
    {
        byte* attr = stackalloc byte[Libc.BpfAttrSize];
        // No helper in use is reserved for programs under the GPL, so the licence may stay empty.
        byte licence = 0;
        fixed (ulong* instructions = code)
        {
            Put32(attr, Libc.BpfAttrProgType, type);
            Put32(attr, Libc.BpfAttrInsnCnt, (uint)code.Length);
            Put64(attr, Libc.BpfAttrInsns, instructions);
            Put64(attr, Libc.BpfAttrLicense, &licence);
            PutName(attr, Libc.BpfAttrProgName, name);
            if (type == Libc.BPF_PROG_TYPE_XDP)
            {
                Put32(attr, Libc.BpfAttrProgAttachType, Libc.BPF_XDP);
                // Headers lie in the first buffer, and jumbo frames are carried, too.
                Put32(attr, Libc.BpfAttrProgFlags, Libc.BPF_F_XDP_HAS_FRAGS);
            }
            SysResult loaded = Call(Libc.BPF_PROG_LOAD, attr);
            if (loaded.IsSuccess) return new(loaded.Value);
            // Only now: a log that does not fit its buffer is an error of its own.
            byte[] log = new byte[LogSize];
            fixed (byte* buffer = log)
            {
                Put32(attr, Libc.BpfAttrLogLevel, 1);
                Put32(attr, Libc.BpfAttrLogSize, LogSize);
                Put64(attr, Libc.BpfAttrLogBuf, buffer);
                SysResult again = Call(Libc.BPF_PROG_LOAD, attr);
                if (again.IsSuccess) return new(again.Value);
            }
            throw new ErrnoException(loaded.Errno, $"cannot load the eBPF program {name}{LastWords(log)}");
        }
    }

    /// <summary>
    /// Attaches a program to an interface: by tcx (Linux 6.6) behind those that are there, in the driver (XDP) as its only one. Closing the descriptor detaches it, and so does the end
    /// of the process.
    /// </summary>
    /// <param name="program">A loaded one.</param>
    /// <param name="interfaceIndex">Of the interface.</param>
    /// <param name="place">BPF_TCX_INGRESS, BPF_TCX_EGRESS or BPF_XDP.</param>
    /// <param name="before">By tcx only: a program attached there in front of which this one goes; null for behind all.</param>
    /// <exception cref="ErrnoException">The kernel refused; EBUSY where a driver has a program already.</exception>
    internal static NativeFd Attach(NativeFd program, int interfaceIndex, uint place, NativeFd? before = null)
    {
        bool isXdp = place == Libc.BPF_XDP;
        byte* attr = stackalloc byte[Libc.BpfAttrSize];
        Put32(attr, Libc.BpfAttrLinkProgFd, (uint)program.Number);
        Put32(attr, Libc.BpfAttrLinkTarget, (uint)interfaceIndex);
        Put32(attr, Libc.BpfAttrLinkAttachType, place);
        // Without the flag a driver that cannot do it gets a program of the stack's, which runs behind GRO and would be of no use.
        if (isXdp) Put32(attr, Libc.BpfAttrLinkFlags, Libc.XDP_FLAGS_DRV_MODE);
        if (before is not null)
        {
            Put32(attr, Libc.BpfAttrLinkFlags, Libc.BPF_F_BEFORE | Libc.BPF_F_LINK);
            Put32(attr, Libc.BpfAttrLinkRelative, (uint)before.Number);
        }
        return new(Call(Libc.BPF_LINK_CREATE, attr).ThrowOnError(isXdp ? "cannot attach an XDP program to the driver" : "cannot attach an eBPF program by tcx (Linux 6.6)"));
    }

    /// <summary>Makes a map.</summary>
    /// <exception cref="ErrnoException">The kernel refused.</exception>
    internal static NativeFd CreateMap(string name, uint type, int keySize, int valueSize, int entries, uint flags)
    {
        byte* attr = stackalloc byte[Libc.BpfAttrSize];
        Put32(attr, Libc.BpfAttrMapType, type);
        Put32(attr, Libc.BpfAttrKeySize, (uint)keySize);
        Put32(attr, Libc.BpfAttrValueSize, (uint)valueSize);
        Put32(attr, Libc.BpfAttrMaxEntries, (uint)entries);
        Put32(attr, Libc.BpfAttrMapFlags, flags);
        PutName(attr, Libc.BpfAttrMapName, name);
        SysResult made = Call(Libc.BPF_MAP_CREATE, attr);
        // The first that the lane asks of the kernel; here it becomes known that the right is missing.
        string remedy = made.Errno == Errno.EPERM ? ": CAP_BPF is needed" : "";
        return new(made.ThrowOnError($"cannot make the eBPF map {name}{remedy}"));
    }

    /// <summary>A command on one element of a map; sizes of key and value are the map's.</summary>
    internal static SysResult Element(int command, NativeFd map, void* key, void* value)
    {
        byte* attr = stackalloc byte[Libc.BpfAttrSize];
        Put32(attr, Libc.BpfAttrMapFd, (uint)map.Number);
        Put64(attr, Libc.BpfAttrKey, key);
        Put64(attr, Libc.BpfAttrValue, value);
        return Call(command, attr);
    }

    private static SysResult Call(int command, byte* attr) => SysResult.From(Libc.bpf(Libc.SYS_bpf, command, attr, Libc.BpfAttrSize));

    private static void Put32(byte* attr, int offset, uint value) => *(uint*)(attr + offset) = value;

    private static void Put64(byte* attr, int offset, void* pointer) => *(ulong*)(attr + offset) = (ulong)pointer;

    // BPF_OBJ_NAME_LEN: 16 bytes with the zero.
    private static void PutName(byte* attr, int offset, string name) => Encoding.ASCII.GetBytes(name, new Span<byte>(attr + offset, 15));

    private static string LastWords(byte[] log)
    {
        int end = Array.IndexOf(log, (byte)0);
        string[] lines = Encoding.ASCII.GetString(log, 0, end < 0 ? log.Length : end).TrimEnd().Split('\n');
        string words = string.Join(" / ", lines.TakeLast(3)).Trim();
        return words.Length == 0 ? "" : $" ({words})";
    }
}
