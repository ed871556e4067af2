namespace FlannelFast.Dataplane.Express;

/// <summary>Registers of eBPF (RFC 9669): R0 is a helper's result and the verdict, R1 to R5 are arguments, R6 to R9 survive calls.</summary>
internal enum BpfRegister : byte
{
    R0 = 0,
    R1 = 1,
    R2 = 2,
    R3 = 3,
    R4 = 4,
    R5 = 5,
    R6 = 6,
    R7 = 7,
    R8 = 8,
    R9 = 9,

    /// <summary>The end of the stack's 512 bytes: places on it have negative offsets.</summary>
    Frame = 10,
}
