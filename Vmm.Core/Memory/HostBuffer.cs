using System.Runtime.InteropServices;

namespace Vmm.Core.Memory;

/// <summary>Native memory of the host that a <see cref="ScatterList"/> can point at: it never moves and no collector scans it.</summary>
public sealed unsafe class HostBuffer : IDisposable
{
    internal byte* Pointer { get; private set; }

    public HostBuffer(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        Length = length;
        Pointer = (byte*)NativeMemory.AllocZeroed((nuint)length);
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
        NativeMemory.Free(Pointer);
        Pointer = null;
        Length = 0;
    }
}
