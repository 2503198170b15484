using Vmm.Core.Bus;

namespace Vmm.Kvm.Tests.Guests;

internal delegate void DeviceRead(ulong offset, Span<byte> data);

internal delegate void DeviceWrite(ulong offset, ReadOnlySpan<byte> data);

/// <summary>A device made of two delegates.</summary>
internal sealed class TestDevice : IBusDevice
{
    internal DeviceRead? OnRead { get; init; }

    internal DeviceWrite? OnWrite { get; init; }

    public void Read(ulong offset, Span<byte> data) => OnRead?.Invoke(offset, data);

    public void Write(ulong offset, ReadOnlySpan<byte> data) => OnWrite?.Invoke(offset, data);
}
