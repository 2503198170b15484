using System.Globalization;
using Vmm.Core.Interrupts;
using Vmm.Core.Memory;

namespace Vmm.Core.Machine;

/// <summary>Where one virtio-mmio device sits: its register window and its interrupt.</summary>
/// <param name="Address">The first register.</param>
/// <param name="Size">Bytes of registers.</param>
/// <param name="Gsi">The interrupt pin.</param>
public readonly record struct VirtioMmioSlot(GuestAddress Address, uint Size, Gsi Gsi)
{
    /// <summary>The form that Linux takes on its command line: <c>virtio_mmio.device=512@0xfeb00000:5</c>.</summary>
    public string ToCommandLine()
        => string.Create(CultureInfo.InvariantCulture, $"virtio_mmio.device={Size}@0x{Address.Value:x}:{Gsi.Number}");
}
