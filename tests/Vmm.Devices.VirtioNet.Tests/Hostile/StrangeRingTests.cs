using Vmm.Core.Memory;
using Vmm.Core.Virtio;
using Vmm.Testing.Virtio;

namespace Vmm.Devices.VirtioNet.Tests.Hostile;

/// <summary>Rings that are odd but within the rules, or that hurt only the guest itself: the device goes on.</summary>
public sealed class StrangeRingTests
{
    private const ushort Next = DriverQueue.Next;
    private const ushort Write = DriverQueue.Write;
    private const ushort Indirect = DriverQueue.Indirect;

    private static readonly Dictionary<string, Action<RingAttack>> Attacks = new()
    {
        ["doorbell without a chain"] = _ => { },
        ["unknown descriptor flags"] = r => r.One(r.Buffer, 64, 0xfff8),
        ["unknown available flags"] = r => r.Queue.SetAvailableFlags(0xfffe),
        ["used event of anything"] = r => r.Queue.SetUsedEvent(0xbeef),
        ["next field without the flag"] = r => r.One(r.Buffer, 64, 0, 0xffff),
        ["the same head twice"] = r =>
        {
            r.One(r.Buffer, 64);
            r.Offer(0);
        },
        ["write flag on an indirect descriptor"] = r =>
        {
            r.TableEntry(0, r.Buffer, 64);
            r.OneIndirect(r.Table, 16, Write);
        },
        ["indirect table out of order"] = r =>
        {
            r.TableEntry(0, r.Buffer, 64, Next, 2);
            r.TableEntry(1, r.RamEnd, 64);
            r.TableEntry(2, r.Buffer + 64, 64);
            r.OneIndirect(r.Table, 48);
        },
        ["buffer over the last byte of RAM"] = r => r.One(r.RamEnd - 1, 1),
        ["buffer over all of RAM that is not the canary's"] = r => r.One(0x10_0000, (uint)r.RamEnd - 0x10_0000),
        ["same buffer many times in one chain"] = r =>
        {
            for (int i = 0; i < 32; i++)
            {
                r.Descriptor(i, r.Buffer, 64, i == 31 ? (ushort)0 : Next, (ushort)(i + 1));
            }

            r.Offer(0);
        },
        ["indirect table unaligned"] = r =>
        {
            r.Queue.WriteDescriptorAt(new GuestAddress(r.Table + 3), new GuestAddress(r.Buffer), 64, 0, 0);
            r.RawDescriptor(0, r.Table + 3, 16, Indirect);
            r.Offer(0);
        },
    };

    public static TheoryData<string> Names => [.. Attacks.Keys];

    /// <summary>Which ring, and as what, a buffer is laid over.</summary>
    public static TheoryData<string, int> Overlaps
    {
        get
        {
            TheoryData<string, int> cases = [];
            foreach (string ring in (string[])["descriptors", "available", "used"])
            {
                for (int queue = 0; queue < 3; queue++)
                {
                    cases.Add(ring, queue);
                }
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void TransmitRing_Strange_IsServed(string attack)
    {
        using HostileGuest hostile = new();

        Attacks[attack](new RingAttack(hostile, 1));
        hostile.Kick(1);

        hostile.ShouldBeUnharmed(1);
        hostile.ShouldRecover();
    }

    [Theory]
    [InlineData("doorbell without a chain")]
    [InlineData("unknown descriptor flags")]
    [InlineData("unknown available flags")]
    [InlineData("used event of anything")]
    [InlineData("next field without the flag")]
    [InlineData("the same head twice")]
    [InlineData("write flag on an indirect descriptor")]
    [InlineData("indirect table out of order")]
    [InlineData("buffer over the last byte of RAM")]
    [InlineData("same buffer many times in one chain")]
    public void ReceiveRing_Strange_IsServed(string attack)
    {
        using HostileGuest hostile = new();

        Attacks[attack](new RingAttack(hostile, 0));
        hostile.Kick(0);

        hostile.ShouldBeUnharmed(0);
        hostile.ShouldRecover();
    }

    [Theory]
    [MemberData(nameof(Overlaps))]
    public void Buffer_OverARing_HurtsOnlyTheGuest(string ring, int victim)
    {
        using HostileGuest hostile = new();
        DriverQueue target = hostile.Driver.Queues[victim];
        GuestAddress address = ring switch
        {
            "descriptors" => target.DescriptorTable,
            "available" => target.AvailableRing,
            _ => target.UsedRing,
        };
        for (int i = 0; i < 20; i++)
        {
            hostile.Driver.Queues[0].Add([new DriverBuffer(address, 512, IsWritable: true)]);
            hostile.Driver.Queues[1].Add([new DriverBuffer(address, 512, IsWritable: false)]);
            hostile.Driver.Queues[2].Add([new DriverBuffer(address, 8, IsWritable: false), new DriverBuffer(address, 8, IsWritable: true)]);
        }

        for (int queue = 0; queue < 3; queue++)
        {
            hostile.Kick(queue);
            hostile.Kick(queue);
        }

        Thread.Sleep(10);
        hostile.ShouldRecover();
    }

    [Theory]
    [InlineData("all three at one place", 0x20_0000, 0x20_0000, 0x20_0000)]
    [InlineData("used ring over the descriptor table", 0x20_0000, 0x21_0000, 0x20_0000)]
    [InlineData("used ring over the available ring", 0x20_0000, 0x21_0000, 0x21_0000)]
    [InlineData("used ring two bytes behind the available ring's start", 0x20_0000, 0x21_0002, 0x21_0004)]
    [InlineData("available ring inside the descriptor table", 0x20_0000, 0x20_0010, 0x22_0000)]
    [InlineData("all at address 0", 0, 0, 0)]
    public void Rings_OverEachOther_HurtOnlyTheGuest(string name, ulong descriptors, ulong available, ulong used)
    {
        for (int queue = 0; queue < 3; queue++)
        {
            using HostileGuest hostile = new();
            Place(hostile.Driver, queue, 256, descriptors, available, used).Should().BeTrue(name);
            Random random = new(queue);
            for (int i = 0; i < 300; i++)
            {
                hostile.Driver.Memory.TryWrite(new GuestAddress(available + 2), (ushort)random.Next(1 << 16));
                hostile.Driver.Memory.TryWrite(new GuestAddress(descriptors + 16ul * (uint)random.Next(16) + 8), (uint)random.Next(4096));
                hostile.Kick(queue);
            }

            hostile.ShouldRecover();
        }
    }

    [Theory]
    [InlineData("descriptor table behind RAM", 0x100_0000ul, 0x20_0000ul, 0x21_0000ul)]
    [InlineData("descriptor table across the end of RAM", 0xff_fff0ul, 0x20_0000ul, 0x21_0000ul)]
    [InlineData("descriptor table at 2^64 - 16", 0xffff_ffff_ffff_fff0ul, 0x20_0000ul, 0x21_0000ul)]
    [InlineData("available ring behind RAM", 0x20_0000ul, 0x100_0000ul, 0x21_0000ul)]
    [InlineData("available ring across the end of RAM", 0x20_0000ul, 0xff_fffeul, 0x21_0000ul)]
    [InlineData("available ring's event field behind RAM", 0x20_0000ul, 0xff_fdfcul, 0x21_0000ul)]
    [InlineData("available ring not aligned", 0x20_0000ul, 0x21_0001ul, 0x22_0000ul)]
    [InlineData("used ring in the MMIO hole", 0x20_0000ul, 0x21_0000ul, 0xfee0_0000ul)]
    [InlineData("used ring across the end of RAM", 0x20_0000ul, 0x21_0000ul, 0xff_fffcul)]
    [InlineData("used ring not aligned", 0x20_0000ul, 0x21_0000ul, 0x22_0002ul)]
    [InlineData("used ring at the highest address", 0x20_0000ul, 0x21_0000ul, 0xffff_ffff_ffff_fffcul)]
    public void Rings_AtImpossiblePlaces_AreRefused(string name, ulong descriptors, ulong available, ulong used)
    {
        using HostileGuest hostile = new();

        Place(hostile.Driver, 1, 256, descriptors, available, used).Should().BeFalse(name);

        hostile.ShouldNeedReset();
        hostile.ShouldRecover();
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(3u)]
    [InlineData(255u)]
    [InlineData(512u)]
    [InlineData(0x8000u)]
    [InlineData(0x1_0000u)]
    [InlineData(0x1_0100u)]
    [InlineData(uint.MaxValue)]
    public void Rings_OfImpossibleSize_AreRefused(uint size)
    {
        using HostileGuest hostile = new();

        Place(hostile.Driver, 1, size, 0x20_0000, 0x21_0000, 0x22_0000).Should().BeFalse();

        hostile.ShouldNeedReset();
        hostile.ShouldRecover();
    }

    [Fact]
    public void Rings_ScribbledOverWhileInUse_HurtOnlyTheGuest()
    {
        using HostileGuest hostile = new();
        Random random = new(11);
        long end = Environment.TickCount64 + 500;
        while (Environment.TickCount64 < end)
        {
            DriverQueue queue = hostile.Driver.Queues[random.Next(3)];
            GuestAddress at = queue.DescriptorTable + (ulong)random.Next((int)DriverQueue.ByteSize(queue.Size) - 8);
            hostile.Driver.Memory.TryWrite(at, random.NextInt64() & (random.Next(2) == 0 ? 0xff_ffff : -1));
            if (random.Next(4) == 0)
            {
                hostile.Kick(random.Next(3));
            }

            if (random.Next(200) == 0)
            {
                hostile.Guest.Start(HostileGuest.Features);
            }
        }
    }

    [Fact]
    public void GuestMemory_Neighbours_AreInaccessible()
    {
        using HostileGuest hostile = new();
        MemoryRegion region = hostile.Driver.Memory.Regions[0];
        string[] maps = File.ReadAllLines("/proc/self/maps");

        maps.Should().Contain(line => line.Contains($"-{region.HostAddress:x} ---p", StringComparison.Ordinal), "the pages below RAM are not to be touched");
        maps.Should().Contain(line => line.StartsWith($"{region.HostAddress + region.Size:x}-", StringComparison.Ordinal) && line.Contains(" ---p", StringComparison.Ordinal), "nor those above");
    }

    /// <summary>Resets one queue and opens it at other addresses; false when it does not become ready.</summary>
    private static bool Place(DriverDevice driver, int queue, uint size, ulong descriptors, ulong available, ulong used)
    {
        driver.Write(VirtioMmioRegister.QueueSel, (uint)queue);
        driver.Write(VirtioMmioRegister.QueueReset, 1);
        driver.Write(VirtioMmioRegister.QueueNum, Math.Min(size, queue == 2 && size == 256 ? 64 : size));
        driver.WriteAddress(VirtioMmioRegister.QueueDescLow, new GuestAddress(descriptors));
        driver.WriteAddress(VirtioMmioRegister.QueueDriverLow, new GuestAddress(available));
        driver.WriteAddress(VirtioMmioRegister.QueueDeviceLow, new GuestAddress(used));
        driver.Write(VirtioMmioRegister.QueueReady, 1);
        return driver.Read(VirtioMmioRegister.QueueReady) == 1;
    }
}
