namespace Vmm.Core.State;

/// <summary>The bytes that mark what comes next inside a section's body.</summary>
internal static class StateMarker
{
    /// <summary>QEMU_VM_SUBSECTION.</summary>
    public const byte Subsection = 0x05;

    /// <summary>Stands for one open file.</summary>
    public const byte Descriptor = 0x20;
}
