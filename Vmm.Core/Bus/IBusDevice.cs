namespace Vmm.Core.Bus;

/// <summary>
/// A device's registers on a bus. Called on vCPU threads, several at once: the device locks for itself. Never throws, whatever the
/// guest does: an access that the device does not know reads as all ones and is otherwise ignored.
/// </summary>
public interface IBusDevice
{
    /// <summary>Fills <paramref name="data"/> (1, 2, 4 or 8 bytes, little endian); it holds all ones at the call.</summary>
    /// <param name="offset">Bytes from the start of the device's range.</param>
    void Read(ulong offset, Span<byte> data);

    /// <param name="offset">Bytes from the start of the device's range.</param>
    /// <param name="data">1, 2, 4 or 8 bytes, little endian.</param>
    void Write(ulong offset, ReadOnlySpan<byte> data);
}
