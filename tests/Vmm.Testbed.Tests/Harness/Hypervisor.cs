namespace Vmm.Testbed.Tests.Harness;

/// <summary>What starts L2 in L1.</summary>
public enum Hypervisor
{
    /// <summary>The binary under test.</summary>
    Vmm,

    /// <summary>Debian's QEMU with its microvm machine: the reference.</summary>
    Qemu,
}
