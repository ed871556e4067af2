namespace FlannelFast.Control.Backends.Vxlan;

/// <summary>Who carries VXLAN on this host: the kernel's device or the packet engine.</summary>
internal static class VxlanBackendSelection
{
    /// <summary>Asks whether the kernel would make a vxlan device for this process, and if not, why; see <see cref="KernelVxlanBackend.IsAvailable"/>.</summary>
    internal delegate bool KernelProbe(out string? refusal);

    /// <summary>Decides. The kernel is asked only where the answer matters.</summary>
    /// <exception cref="IOException">The kernel's device is demanded and cannot be made.</exception>
    internal static BackendChoice Choose(VxlanDataplane dataplane, KernelProbe isKernelAvailable)
    {
        if (dataplane == VxlanDataplane.Userspace) return Engine("of -dataplane=userspace");
        if (isKernelAvailable(out string? refusal))
            return new(KernelVxlanBackend.Prepare, dataplane == VxlanDataplane.Kernel ? "kernel device, because of -dataplane=kernel" : "kernel device");
        if (dataplane == VxlanDataplane.Kernel) throw new IOException($"-dataplane=kernel, but {refusal}");
        return Engine(refusal!);
    }

    private static BackendChoice Engine(string reason) => new(EngineVxlanBackend.Prepare, $"packet engine, because {reason}");
}
