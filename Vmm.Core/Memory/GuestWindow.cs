using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Vmm.Core.Memory;

/// <summary>
/// A range of guest RAM that was checked once, for structures that stay where they are (the rings of a virtqueue).
/// Offsets are checked against its length on each access. Valid as long as the GuestMemory that made it.
/// </summary>
public readonly unsafe struct GuestWindow
{
    // SAFETY: points at Length bytes of a live mapping; dereferenced only below, after the offset is checked.
    private readonly byte* _host;

    internal GuestWindow(byte* host, uint length)
    {
        _host = host;
        Length = length;
    }

    /// <summary>Bytes.</summary>
    public uint Length { get; }

    public Span<byte> Span => new(_host, checked((int)Length));

    /// <summary>One unaligned, plain read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Read<T>(uint offset) where T : unmanaged => Unsafe.ReadUnaligned<T>(At(offset, (uint)sizeof(T)));

    /// <summary>One unaligned, plain write.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write<T>(uint offset, T value) where T : unmanaged => Unsafe.WriteUnaligned(At(offset, (uint)sizeof(T)), value);

    /// <summary>A 16-bit load with acquire semantics: what the other side wrote before its index is visible after it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ushort ReadAcquire(uint offset) => Volatile.Read(ref *(ushort*)At(offset, 2));

    /// <summary>A 16-bit store with release semantics: what was written before it is visible before it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void WriteRelease(uint offset, ushort value) => Volatile.Write(ref *(ushort*)At(offset, 2), value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private byte* At(uint offset, uint size)
    {
        if (size > Length || offset > Length - size)
        {
            ThrowOutside(offset, size);
        }

        return _host + offset;
    }

    [StackTraceHidden]
    private void ThrowOutside(uint offset, uint size)
        => throw new ArgumentOutOfRangeException(nameof(offset), $"{size} bytes at offset {offset} of a window of {Length} bytes");
}
