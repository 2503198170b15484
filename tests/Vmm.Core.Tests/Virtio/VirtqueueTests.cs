using CsCheck;
using Vmm.Core.Memory;
using Vmm.Core.Virtio;
using Vmm.Testing;
using Vmm.Testing.Virtio;

namespace Vmm.Core.Tests.Virtio;

public sealed class VirtqueueTests
{
    [Fact]
    public void TryPop_NothingAvailable_IsEmpty()
    {
        using VirtqueueFixture f = new();
        f.Pop(out _).Should().Be(PopResult.Empty);
    }

    [Fact]
    public void TryPop_DirectChain_GivesBuffersInOrder()
    {
        using VirtqueueFixture f = new();
        ushort head = f.Driver.Add([DriverBuffer.Readable(0x8_0000, 12), DriverBuffer.Readable(0x8_1000, 100), DriverBuffer.Writable(0x8_2000, 1)]);

        f.Pop(out DescriptorChain chain).Should().Be(PopResult.Taken);

        chain.Should().Be(new DescriptorChain(head, 2, 1, 112, 1));
        f.Memory.Write(new GuestAddress(0x8_1000), "payload"u8);
        byte[] bytes = new byte[7];
        f.Readable.CopyTo(12, bytes).Should().Be(7);
        bytes.Should().Equal("payload"u8.ToArray());
    }

    [Fact]
    public void TryPop_IndirectBehindDirect_GivesBoth()
    {
        using VirtqueueFixture f = new();
        f.Driver.WriteDescriptorAt(new GuestAddress(0x9_0000), new GuestAddress(0x8_1000), 20, DriverQueue.Write | DriverQueue.Next, 1);
        f.Driver.WriteDescriptorAt(new GuestAddress(0x9_0010), new GuestAddress(0x8_2000), 30, DriverQueue.Write, 0);
        f.Driver.WriteDescriptor(3, new GuestAddress(0x8_0000), 10, DriverQueue.Next, 5);
        f.Driver.WriteDescriptor(5, new GuestAddress(0x9_0000), 32, DriverQueue.Indirect, 0);
        f.Driver.MakeAvailable(3);

        f.Pop(out DescriptorChain chain).Should().Be(PopResult.Taken);

        chain.Should().Be(new DescriptorChain(3, 1, 2, 10, 50));
    }

    [Fact]
    public void TryPop_ListFull_TakesNothingAndCanGoOn()
    {
        using VirtqueueFixture f = new();
        using ScatterList small = new(3);
        f.Driver.Add([DriverBuffer.Writable(0x8_0000, 1), DriverBuffer.Writable(0x8_1000, 1)]);
        f.Driver.Add([DriverBuffer.Writable(0x8_2000, 1), DriverBuffer.Writable(0x8_3000, 1)]);

        f.Queue.TryPop(f.Readable, small, out _).Should().Be(PopResult.Taken);
        f.Queue.TryPop(f.Readable, small, out _).Should().Be(PopResult.ListFull);
        small.Count.Should().Be(2);
        small.RemoveFirst(2);
        f.Queue.TryPop(f.Readable, small, out _).Should().Be(PopResult.Taken);
    }

    [Fact]
    public void Return_TakenChains_AreTakenAgainInOrder()
    {
        using VirtqueueFixture f = new();
        ushort first = f.Driver.Add([DriverBuffer.Writable(0x8_0000, 1)]);
        ushort second = f.Driver.Add([DriverBuffer.Writable(0x8_1000, 1)]);
        f.Pop(out _);
        f.Pop(out _);

        f.Queue.Return(2);

        f.Pop(out DescriptorChain a);
        f.Pop(out DescriptorChain b);
        (a.Head, b.Head).Should().Be((first, second));
    }

    [Theory]
    [InlineData(VirtioFeatures.Version1)]
    [InlineData(VirtioFeatures.Version1 | VirtioFeatures.RingEventIndex)]
    public void PushAndPop_FarBeyondIndexWrap_KeepsOrder(ulong features)
    {
        using VirtqueueFixture f = new(4, features);
        for (int i = 0; i < 200_000; i++)
        {
            ushort head = f.Driver.Add([DriverBuffer.Readable(VirtqueueFixture.Buffers, 60), DriverBuffer.Writable(VirtqueueFixture.Buffers + 0x1000, 60)]);
            f.Pop(out DescriptorChain chain).Should().Be(PopResult.Taken);
            f.Queue.Push(chain.Head, (uint)i);
            f.Queue.Publish();
            f.Driver.TryGetUsed(out uint used, out uint written).Should().BeTrue();
            if (used != head || written != (uint)i)
            {
                Assert.Fail($"round {i}: head {used} for {head}, {written} bytes");
            }
        }

        f.Queue.State.NextUsed.Should().Be(unchecked((ushort)200_000));
    }

    [Fact]
    public void PopPushPublish_AfterWarmUp_AllocatesNothing()
    {
        using VirtqueueFixture f = new();
        DriverBuffer[] buffers = [DriverBuffer.Readable(VirtqueueFixture.Buffers, 60), DriverBuffer.Writable(VirtqueueFixture.Buffers + 0x1000, 60)];
        AllocationMeter meter = new();
        while (meter.WantsMore)
        {
            f.Driver.Add(buffers);
            meter.Measure(() =>
            {
                f.Pop(out DescriptorChain chain);
                f.Queue.Push(chain.Head, 1);
                f.Queue.Publish();
                f.Queue.NeedsInterrupt();
                f.Queue.EnableDoorbell();
            });
            f.Driver.TryGetUsed(out _, out _).Should().BeTrue();
        }

        meter.Least.Should().Be(0);
    }

    [Fact]
    public void NeedsInterrupt_WithoutEventIndex_FollowsTheFlag()
    {
        using VirtqueueFixture f = new(8, VirtioFeatures.Version1);
        f.Queue.Publish();
        f.Queue.NeedsInterrupt().Should().BeTrue();
        f.Driver.SetAvailableFlags(1);
        f.Queue.NeedsInterrupt().Should().BeFalse();
    }

    [Fact]
    public void NeedsInterrupt_WithEventIndex_ExactlyWhenTheEventIsPassed()
    {
        Gen.Select(Gen.UShort, Gen.Int[1, 8], Gen.UShort).Sample((start, count, usedEvent) =>
        {
            using VirtqueueFixture f = new();
            f.Queue.State.NextUsed = f.Queue.State.SignalledUsed = start;
            f.Queue.State.SignalledUsedValid = true;
            f.Driver.SetUsedEvent(usedEvent);
            for (int i = 0; i < count; i++)
            {
                f.Queue.Push(0, 0);
            }

            f.Queue.Publish();
            bool passed = Enumerable.Range(0, count).Any(i => (ushort)(start + i) == usedEvent);
            return f.Queue.NeedsInterrupt() == passed;
        });
    }

    [Fact]
    public void EnableDoorbell_WithEventIndex_AsksForTheNextChain()
    {
        using VirtqueueFixture f = new();
        f.Driver.Add([DriverBuffer.Readable(VirtqueueFixture.Buffers, 1)]);
        f.Pop(out _);
        f.Queue.EnableDoorbell().Should().BeFalse();
        f.Driver.AvailEvent.Should().Be(1);
        f.Driver.Add([DriverBuffer.Readable(VirtqueueFixture.Buffers, 1)]);
        f.Queue.EnableDoorbell().Should().BeTrue();
    }

    [Fact]
    public void EnableDoorbell_WithoutEventIndex_ClearsNoNotify()
    {
        using VirtqueueFixture f = new(8, VirtioFeatures.Version1);
        f.Queue.DisableDoorbell();
        f.Driver.UsedFlags.Should().Be(1);
        f.Queue.EnableDoorbell();
        f.Driver.UsedFlags.Should().Be(0);
    }

    [Fact]
    public void Layouts_OfEveryKind_GiveTheBytesOfTheDriver()
    {
        Gen<int[]> lengths = Gen.Int[1, 5000].Array[1, 40];
        Gen.Select(lengths, Gen.Int[0, 40], Gen.Bool).Sample((all, writableFrom, indirect) =>
        {
            using VirtqueueFixture f = new(64);
            DriverBuffer[] buffers = new DriverBuffer[all.Length];
            ulong at = VirtqueueFixture.Buffers;
            for (int i = 0; i < all.Length; i++)
            {
                buffers[i] = new DriverBuffer(new GuestAddress(at), (uint)all[i], i >= writableFrom);
                at += (uint)all[i] + 3;
            }

            if (indirect)
            {
                f.Driver.AddIndirect(new GuestAddress(0x6_0001), buffers);
            }
            else
            {
                f.Driver.Add(buffers);
            }

            bool taken = f.Pop(out DescriptorChain chain) == PopResult.Taken;
            return taken
                && chain.ReadableBytes == buffers.Where(b => !b.IsWritable).Sum(b => b.Length)
                && chain.WritableBytes == buffers.Where(b => b.IsWritable).Sum(b => b.Length)
                && f.Readable.Count + f.Writable.Count == all.Length
                && f.Readable.TotalBytes == chain.ReadableBytes;
        }, iter: 300);
    }
}
