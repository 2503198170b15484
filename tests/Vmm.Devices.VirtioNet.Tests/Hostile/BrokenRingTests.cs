using Vmm.Core.Virtio;
using Vmm.Testing.Virtio;

namespace Vmm.Devices.VirtioNet.Tests.Hostile;

/// <summary>Rings that break the rules, each on the receive, the transmit and the control queue: the device asks for a reset and recovers.</summary>
public sealed class BrokenRingTests
{
    private const ushort Next = DriverQueue.Next;
    private const ushort Write = DriverQueue.Write;
    private const ushort Indirect = DriverQueue.Indirect;

    private static readonly Dictionary<string, Action<RingAttack>> Attacks = new()
    {
        ["head index is the queue's size"] = r => r.Offer(r.Queue.Size),
        ["head index is 65535"] = r => r.Offer(0xffff),
        ["next index is the queue's size"] = r => r.One(r.Buffer, 64, Next, r.Queue.Size),
        ["next index is 65535"] = r => r.One(r.Buffer, 64, Next, 0xffff),
        ["descriptor follows itself"] = r => r.Loop(1),
        ["two descriptors in a circle"] = r => r.Loop(2),
        ["all descriptors in a circle"] = r => r.Loop(r.Queue.Size),
        ["buffer begins where RAM ends"] = r => r.One(r.RamEnd, 64),
        ["buffer crosses the end of RAM by one byte"] = r => r.One(r.RamEnd - 63, 64),
        ["buffer in the MMIO hole"] = r => r.One(0xd000_0000, 64),
        ["buffer at 4 GiB where no RAM is"] = r => r.One(0x1_0000_0000, 64),
        ["buffer at 2^63"] = r => r.One(1ul << 63, 64),
        ["buffer wraps around the address space"] = r => r.One(ulong.MaxValue - 31, 64),
        ["buffer wraps around to address 0"] = r => r.One(0xffff_ffff_ffff_f000, 8192),
        ["buffer at the last address with the longest length"] = r => r.One(ulong.MaxValue, uint.MaxValue),
        ["buffer of 4 GiB from 0"] = r => r.One(0, uint.MaxValue),
        ["buffer of 2 GiB from 0"] = r => r.One(0, 0x8000_0000),
        ["buffer of length 0"] = r => r.One(r.Buffer, 0),
        ["buffer of length 0 at address 0"] = r => r.One(0, 0),
        ["second buffer of length 0"] = r =>
        {
            r.Descriptor(1, r.Buffer + 64, 0);
            r.One(r.Buffer, 64, Next, 1);
        },
        ["last of many buffers outside of RAM"] = r =>
        {
            for (int i = 0; i < 31; i++)
            {
                r.Descriptor(i, r.Buffer, 64, Next, (ushort)(i + 1));
            }

            r.Descriptor(31, r.RamEnd, 64);
            r.Offer(0);
        },
        ["available index jumps by size + 1"] = r => r.Queue.SetAvailableIndex((ushort)(r.Queue.Size + 1)),
        ["available index jumps by 32768"] = r => r.Queue.SetAvailableIndex(0x8000),
        ["available index goes back"] = r => r.Queue.SetAvailableIndex(0xffff),
        ["device-readable buffer after a device-writable one"] = r =>
        {
            r.RawDescriptor(0, r.Buffer, 64, Write | Next, 1);
            r.RawDescriptor(1, r.Buffer, 64, 0);
            r.Offer(0);
        },
        ["indirect table with another inside"] = r =>
        {
            r.RawTableEntry(0, r.Table, 16, Indirect);
            r.OneIndirect(r.Table, 16);
        },
        ["indirect table names itself behind a buffer"] = r =>
        {
            r.TableEntry(0, r.Buffer, 64, Next, 1);
            r.RawTableEntry(1, r.Table, 32, Indirect);
            r.OneIndirect(r.Table, 32);
        },
        ["indirect descriptor with a next one"] = r =>
        {
            r.TableEntry(0, r.Buffer, 64);
            r.Descriptor(1, r.Buffer, 64);
            r.RawDescriptor(0, r.Table, 16, Indirect | Next, 1);
            r.Offer(0);
        },
        ["indirect table of length 0"] = r => r.OneIndirect(r.Table, 0),
        ["indirect table of 1 byte"] = r => r.OneIndirect(r.Table, 1),
        ["indirect table of 17 bytes"] = r => r.OneIndirect(r.Table, 17),
        ["indirect table of 1025 descriptors"] = r => r.OneIndirect(0, 16 * 1025),
        ["indirect table of 4 GiB"] = r => r.OneIndirect(0, 0xffff_fff0),
        ["indirect table where RAM ends"] = r => r.OneIndirect(r.RamEnd, 16),
        ["indirect table crosses the end of RAM"] = r => r.OneIndirect(r.RamEnd - 16, 32),
        ["indirect table wraps around the address space"] = r => r.OneIndirect(ulong.MaxValue - 15, 32),
        ["indirect next index is the table's size"] = r =>
        {
            r.TableEntry(0, r.Buffer, 64, Next, 2);
            r.OneIndirect(r.Table, 32);
        },
        ["indirect descriptor follows itself"] = r =>
        {
            r.TableEntry(0, r.Buffer, 64, Next, 0);
            r.OneIndirect(r.Table, 32);
        },
        ["indirect descriptors in a circle"] = r =>
        {
            for (int i = 0; i < 1024; i++)
            {
                r.TableEntry(i, r.Buffer, 8, Next, (ushort)((i + 1) % 1024));
            }

            r.OneIndirect(r.Table, 1024 * 16);
        },
        ["indirect buffer outside of RAM"] = r =>
        {
            r.TableEntry(0, r.RamEnd - 1, 2);
            r.OneIndirect(r.Table, 16);
        },
        ["indirect buffer of length 0"] = r =>
        {
            r.TableEntry(0, r.Buffer, 0);
            r.OneIndirect(r.Table, 16);
        },
        ["indirect device-readable buffer after a device-writable one"] = r =>
        {
            r.RawTableEntry(0, r.Buffer, 64, Write | Next, 1);
            r.RawTableEntry(1, r.Buffer, 64, 0);
            r.OneIndirect(r.Table, 32);
        },
        ["more buffers than one system call takes"] = r =>
        {
            r.Descriptor(0, r.Buffer, 1, Next, 1);
            r.RawDescriptor(1, r.Table, 1024 * 16, Indirect);
            for (int i = 0; i < 1024; i++)
            {
                r.TableEntry(i, r.Buffer, 1, i == 1023 ? (ushort)0 : Next, (ushort)(i + 1));
            }

            r.Offer(0);
        },
    };

    public static TheoryData<string, int> Cases
    {
        get
        {
            TheoryData<string, int> cases = [];
            foreach (string attack in Attacks.Keys)
            {
                for (int queue = 0; queue < 3; queue++)
                {
                    cases.Add(attack, queue);
                }
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Ring_Broken_AsksForResetAndRecovers(string attack, int queue)
    {
        using HostileGuest hostile = new();

        Attacks[attack](new RingAttack(hostile, queue));
        hostile.Kick(queue);

        hostile.ShouldNeedReset();
        hostile.ShouldRecover();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Ring_BrokenBehindSoundChains_ServesThoseFirst(int queue)
    {
        using HostileGuest hostile = new();
        RingAttack ring = new(hostile, queue);
        ring.RawDescriptor(0, ring.Buffer, 100, queue == 0 ? Write : Next, 1);
        ring.RawDescriptor(1, ring.Buffer + 2048, 100, queue == 1 ? (ushort)0 : Write);
        ring.Offer(0);
        ring.Offer(0xeeee);

        hostile.Kick(queue);

        hostile.ShouldNeedReset();
        if (queue != 0)
        {
            ring.Queue.UsedIndex.Should().Be(1);
        }

        hostile.ShouldRecover();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Indirect_NotNegotiated_AsksForReset(int queue)
    {
        using HostileGuest hostile = new(HostileGuest.Features & ~VirtioFeatures.RingIndirectDescriptors);
        RingAttack ring = new(hostile, queue);
        ring.TableEntry(0, ring.Buffer, 64);
        ring.OneIndirect(ring.Table, 16);

        hostile.Kick(queue);

        hostile.ShouldNeedReset();
        hostile.ShouldRecover();
    }

    [Fact]
    public void Receive_OnlyReadableBuffers_AsksForReset()
    {
        using HostileGuest hostile = new();
        RingAttack ring = new(hostile, 0);
        ring.RawDescriptor(0, ring.Buffer, 2048, 0);
        ring.Offer(0);

        hostile.Kick(0);

        hostile.ShouldNeedReset();
        hostile.ShouldRecover();
    }

    [Fact]
    public void Control_NoRoomForTheAcknowledgement_AsksForReset()
    {
        using HostileGuest hostile = new();
        RingAttack ring = new(hostile, 2);
        ring.RawDescriptor(0, ring.Buffer, 3, 0);
        ring.Offer(0);

        hostile.Kick(2);

        hostile.ShouldNeedReset();
        hostile.ShouldRecover();
    }

    [Theory]
    [InlineData(0xc000_0000 - 32ul)]
    [InlineData(0xc000_0000ul)]
    [InlineData(0xffff_ffc0ul)]
    [InlineData(0xffff_fffful)]
    [InlineData(0x1_1fff_ffe0ul)]
    [InlineData(0x1_2000_0000ul)]
    public void Buffer_AcrossTheEdgesOfTheHole_AsksForReset(ulong address)
    {
        using HostileGuest hostile = new(memory: 3584ul << 20);
        for (int queue = 0; queue < 3; queue++)
        {
            new RingAttack(hostile, queue).One(address, 64);
            hostile.Kick(queue);
            hostile.ShouldNeedReset();
            hostile.ShouldRecover();
        }
    }

    [Fact]
    public void Suite_NamesAtLeastFortyCases() => Attacks.Count.Should().BeGreaterThanOrEqualTo(40);
}
