using System.Runtime.InteropServices;

namespace Vmm.Core.Memory;

/// <summary>Native memory of the host that a <see cref="ScatterList"/> can point at: it never moves and no collector scans it.</summary>
public sealed unsafe class HostBuffer : IDisposable
{
    internal byte* Pointer { get; private set; }

    /// <param name="length">Bytes.</param>
    /// <param name="alignment">The first byte's address is a multiple of this power of two.</param>
    public HostBuffer(int length, int alignment = 16)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        Length = length;
        Pointer = (byte*)NativeMemory.AlignedAlloc((nuint)length, (nuint)alignment);
        Span.Clear();
    }

    ~HostBuffer() => Free();

    /// <summary>Bytes.</summary>
    public int Length { get; private set; }

    public Span<byte> Span => new(Pointer, Length);

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(Pointer);
        Pointer = null;
        Length = 0;
    }
}
