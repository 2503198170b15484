using Vmm.Core.Hypervisor;
using Vmm.Core.Machine;
using Vmm.Core.Machine.Boot;
using Vmm.Core.Memory;

namespace Vmm.Core.Tests.Machine.Boot;

/// <summary>Guest RAM and what is usually loaded into it.</summary>
internal sealed class BootFixture(ulong size = 16 << 20) : IDisposable
{
    public GuestMemory Memory { get; } = GuestMemory.Create(new GuestMemoryOptions(size));

    public CpuEntry Load(byte[] kernel, byte[]? initrd = null, string commandLine = "", params VirtioMmioSlot[] devices)
    {
        using BootImage image = BootImage.FromBytes("vmlinux", kernel);
        using BootImage? module = initrd is null ? null : BootImage.FromBytes("initrd.img", initrd);
        return BootLoader.Load(Memory, new BootConfig(image, module, commandLine, devices));
    }

    public byte[] Read(ulong address, int length)
    {
        Memory.TryGetSpan(new GuestAddress(address), (uint)length, out Span<byte> span).Should().BeTrue();
        return span.ToArray();
    }

    public T Read<T>(ulong address) where T : unmanaged
    {
        Memory.TryRead(new GuestAddress(address), out T value).Should().BeTrue();
        return value;
    }

    public string ReadText(ulong address)
    {
        byte[] bytes = Read(address, 4096);
        return System.Text.Encoding.UTF8.GetString(bytes, 0, Array.IndexOf(bytes, (byte)0));
    }

    public void Dispose() => Memory.Dispose();
}
