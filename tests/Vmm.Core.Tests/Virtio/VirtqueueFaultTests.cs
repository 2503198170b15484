using Vmm.Core.Memory;
using Vmm.Core.Virtio;
using Vmm.Testing.Virtio;

namespace Vmm.Core.Tests.Virtio;

public sealed class VirtqueueFaultTests
{
    private static readonly GuestAddress s_buffer = new(VirtqueueFixture.Buffers);

    public static TheoryData<string, string> Cases => new()
    {
        { "head", "descriptor index 8 is outside of a table of 8" },
        { "next", "descriptor index 65535 is outside of a table of 8" },
        { "loop", "descriptor chain from 0 is longer than its table of 8: a loop" },
        { "self-loop", "descriptor chain from 2 is longer than its table of 8: a loop" },
        { "zero", "descriptor 0 has length 0" },
        { "outside", "buffer at 0x100000 with 1 bytes is outside of RAM" },
        { "end", "buffer at 0xfffff with 2 bytes is outside of RAM" },
        { "wrap", "buffer at 0xffffffffffffffff with 2 bytes is outside of RAM" },
        { "hole", "buffer at 0xfeb00000 with 4 bytes is outside of RAM" },
        { "order", "device-readable descriptor 1 follows a device-writable one" },
        { "index", "available index is 9 ahead of the device in a queue of 8" },
        { "nested", "indirect descriptor inside an indirect table" },
        { "indirect-next", "indirect descriptor with the NEXT flag" },
        { "indirect-length", "indirect table of 17 bytes is not 1 to 1024 descriptors" },
        { "indirect-long", "indirect table of 16400 bytes is not 1 to 1024 descriptors" },
        { "indirect-outside", "indirect table at 0xffff8 with 16 bytes is outside of RAM" },
        { "indirect-loop", "descriptor chain from 0 is longer than its table of 2: a loop" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void TryPop_BrokenRing_NamesTheFaultAndStaysBroken(string what, string reason)
    {
        using VirtqueueFixture f = new();
        Break(f.Driver, what);

        f.Pop(out _).Should().Be(PopResult.Faulty);

        f.Queue.Fault.Should().Be(reason);
        f.Readable.Count.Should().Be(0);
        f.Writable.Count.Should().Be(0);
        f.Pop(out _).Should().Be(PopResult.Faulty);
        f.Queue.IsUsable.Should().BeFalse();
    }

    [Fact]
    public void TryPop_IndirectNotNegotiated_IsAFault()
    {
        using VirtqueueFixture f = new(8, VirtioFeatures.Version1);
        f.Driver.AddIndirect(new GuestAddress(0x9_0000), [DriverBuffer.Readable(VirtqueueFixture.Buffers, 1)]);
        f.Pop(out _).Should().Be(PopResult.Faulty);
        f.Queue.Fault.Should().Be("indirect descriptor without VIRTIO_F_INDIRECT_DESC");
    }

    [Theory]
    [InlineData(0, "size 0 is not a power of two up to 8")]
    [InlineData(3, "size 3 is not a power of two up to 8")]
    [InlineData(16, "size 16 is not a power of two up to 8")]
    public void Open_BadSize_IsRefused(ushort size, string reason)
    {
        using VirtqueueFixture f = new();
        f.Queue.State.Size = size;
        f.Queue.Open(0).Should().Be(reason);
    }

    [Theory]
    [InlineData(0x1000, 0x2001, 0x3000, "available ring at 0x2001 is not 2-byte aligned RAM of 22 bytes")]
    [InlineData(0x1000, 0x2000, 0x3002, "used ring at 0x3002 is not 4-byte aligned RAM of 70 bytes")]
    [InlineData(0xf_fff0, 0x2000, 0x3000, "descriptor table at 0xffff0 is not RAM of 128 bytes")]
    [InlineData(0x1000, 0xf_fff0, 0x3000, "available ring at 0xffff0 is not 2-byte aligned RAM of 22 bytes")]
    [InlineData(0x1000, 0x2000, 0xffff_ffff_ffff_fffc, "used ring at 0xfffffffffffffffc is not 4-byte aligned RAM of 70 bytes")]
    public void Open_BadRing_IsRefused(ulong descriptors, ulong available, ulong used, string reason)
    {
        using VirtqueueFixture f = new();
        f.Queue.Reset();
        f.Queue.State.DescriptorTable = new GuestAddress(descriptors);
        f.Queue.State.AvailableRing = new GuestAddress(available);
        f.Queue.State.UsedRing = new GuestAddress(used);
        f.Queue.Open(0).Should().Be(reason);
        f.Queue.IsUsable.Should().BeFalse();
    }

    private static void Break(DriverQueue d, string what)
    {
        GuestAddress table = new(0x9_0000);
        switch (what)
        {
            case "head":
                d.MakeAvailable(8);
                return;
            case "next":
                d.WriteDescriptor(0, s_buffer, 1, DriverQueue.Next, 0xffff);
                break;
            case "loop":
                d.WriteDescriptor(0, s_buffer, 1, DriverQueue.Next, 1);
                d.WriteDescriptor(1, s_buffer, 1, DriverQueue.Next, 0);
                break;
            case "self-loop":
                d.WriteDescriptor(2, s_buffer, 1, DriverQueue.Next, 2);
                d.MakeAvailable(2);
                return;
            case "zero":
                d.WriteDescriptor(0, s_buffer, 0, 0, 0);
                break;
            case "outside":
                d.WriteDescriptor(0, new GuestAddress(0x10_0000), 1, 0, 0);
                break;
            case "end":
                d.WriteDescriptor(0, new GuestAddress(0xf_ffff), 2, DriverQueue.Write, 0);
                break;
            case "wrap":
                d.WriteDescriptor(0, new GuestAddress(ulong.MaxValue), 2, DriverQueue.Write, 0);
                break;
            case "hole":
                d.WriteDescriptor(0, new GuestAddress(0xfeb0_0000), 4, DriverQueue.Write, 0);
                break;
            case "order":
                d.WriteDescriptor(0, s_buffer, 1, DriverQueue.Write | DriverQueue.Next, 1);
                d.WriteDescriptor(1, s_buffer, 1, 0, 0);
                break;
            case "index":
                d.SetAvailableIndex(9);
                return;
            case "nested":
                d.WriteDescriptorAt(table, table, 16, DriverQueue.Indirect, 0);
                d.WriteDescriptor(0, table, 16, DriverQueue.Indirect, 0);
                break;
            case "indirect-next":
                d.WriteDescriptor(0, table, 16, DriverQueue.Indirect | DriverQueue.Next, 1);
                break;
            case "indirect-length":
                d.WriteDescriptor(0, table, 17, DriverQueue.Indirect, 0);
                break;
            case "indirect-long":
                d.WriteDescriptor(0, table, 16 * 1025, DriverQueue.Indirect, 0);
                break;
            case "indirect-outside":
                d.WriteDescriptor(0, new GuestAddress(0xf_fff8), 16, DriverQueue.Indirect, 0);
                break;
            case "indirect-loop":
                d.WriteDescriptorAt(table, s_buffer, 1, DriverQueue.Next, 1);
                d.WriteDescriptorAt(table + 16, s_buffer, 1, DriverQueue.Next, 0);
                d.WriteDescriptor(0, table, 32, DriverQueue.Indirect, 0);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(what), what, null);
        }

        d.MakeAvailable(0);
    }
}
