namespace Vmm.Kvm.Run;

/// <summary>What a vCPU thread is doing.</summary>
internal enum VcpuActivity
{
    /// <summary>On its way to its first park.</summary>
    Starting,

    /// <summary>Waiting at a clean point: outside the guest, no I/O half done.</summary>
    Parked,

    /// <summary>In the guest, or handling an exit.</summary>
    Running,

    /// <summary>Out of the guest, reading its state.</summary>
    Leaving,

    /// <summary>Ended; it does not come back.</summary>
    Gone,
}
