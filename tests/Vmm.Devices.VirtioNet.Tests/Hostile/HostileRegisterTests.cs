using Vmm.Core.Memory;
using Vmm.Core.Virtio;
using Vmm.Devices.VirtioNet.Tests.Harness;

namespace Vmm.Devices.VirtioNet.Tests.Hostile;

/// <summary>Register accesses that make no sense, with the device's threads running.</summary>
public sealed class HostileRegisterTests
{
    private static readonly Dictionary<string, Action<HostileGuest>> Attacks = new()
    {
        ["every offset read in every width"] = h => ForEachAccess((offset, width) => h.Driver.Transport.Read((ulong)offset, new byte[width])),
        ["every offset but the status written with 0 in every width"] = h => WriteAll(h, 0),
        ["every offset but the status written with ones in every width"] = h => WriteAll(h, 0xff),
        ["every offset but the status written with 1 in every width"] = h => WriteAll(h, 1),
        ["accesses far behind the window"] = h =>
        {
            foreach (ulong offset in (ulong[])[0x200, 0x1000, uint.MaxValue, ulong.MaxValue - 7, ulong.MaxValue])
            {
                h.Driver.Transport.Read(offset, new byte[8]);
                h.Driver.Transport.Write(offset, new byte[8]);
            }
        },
        ["accesses of no bytes"] = h =>
        {
            h.Driver.Transport.Read(0x100, []);
            h.Driver.Transport.Write(0x100, []);
            h.Driver.Transport.Read(0x70, []);
            h.Driver.Transport.Write(0x70, []);
        },
        ["configuration read far too wide"] = h => h.Driver.ReadConfig(0, 4096),
        ["configuration read at the end of its offsets"] = h => h.Driver.ReadConfig(int.MaxValue - 4096, 64),
        ["configuration written all over"] = h =>
        {
            for (int offset = 0; offset < 0x100; offset++)
            {
                h.Driver.Transport.Write((ulong)(0x100 + offset), [0xff, 0xff, 0xff, 0xff]);
            }
        },
        ["features changed after FEATURES_OK"] = h =>
        {
            h.Driver.Write(VirtioMmioRegister.DriverFeaturesSel, 0);
            h.Driver.Write(VirtioMmioRegister.DriverFeatures, uint.MaxValue);
            h.Driver.Write(VirtioMmioRegister.DriverFeaturesSel, 1);
            h.Driver.Write(VirtioMmioRegister.DriverFeatures, uint.MaxValue);
            h.Driver.Transport.Features.Should().Be(HostileGuest.Features);
        },
        ["features of selectors that do not exist"] = h =>
        {
            foreach (uint selector in (uint[])[2, 3, 0x8000_0000, uint.MaxValue])
            {
                h.Driver.Write(VirtioMmioRegister.DeviceFeaturesSel, selector);
                h.Driver.Read(VirtioMmioRegister.DeviceFeatures).Should().Be(0);
                h.Driver.Write(VirtioMmioRegister.DriverFeaturesSel, selector);
                h.Driver.Write(VirtioMmioRegister.DriverFeatures, uint.MaxValue);
            }
        },
        ["features that were not offered"] = h => h.Driver.Negotiate(ulong.MaxValue).Should().BeFalse(),
        ["no features at all"] = h => h.Driver.Negotiate(0).Should().BeFalse(),
        ["DRIVER_OK without FEATURES_OK"] = h =>
        {
            h.Driver.Write(VirtioMmioRegister.Status, 0);
            h.Driver.Write(VirtioMmioRegister.Status, 7);
            (h.Driver.Status & VirtioStatus.DriverOk).Should().Be(0);
            h.Kick(0);
        },
        ["DRIVER_OK without a queue"] = h =>
        {
            h.Driver.Negotiate(HostileGuest.Features).Should().BeTrue();
            h.Driver.Write(VirtioMmioRegister.Status, 15);
            h.Kick(0);
            h.Kick(1);
            h.Kick(2);
        },
        ["DRIVER_OK again and again"] = h =>
        {
            for (int i = 0; i < 100; i++)
            {
                h.Driver.Write(VirtioMmioRegister.Status, 15);
            }
        },
        ["status bits taken away"] = h =>
        {
            h.Driver.Write(VirtioMmioRegister.Status, 1);
            h.Driver.Write(VirtioMmioRegister.Status, 8);
            h.Driver.Status.Should().HaveFlag(VirtioStatus.DriverOk);
        },
        ["NEEDS_RESET set by the driver"] = h =>
        {
            h.Driver.Write(VirtioMmioRegister.Status, 15 | 64);
            h.Driver.Status.Should().NotHaveFlag(VirtioStatus.NeedsReset);
        },
        ["FAILED set by the driver"] = h => h.Driver.Write(VirtioMmioRegister.Status, 15 | 128),
        ["status of all ones"] = h => h.Driver.Write(VirtioMmioRegister.Status, uint.MaxValue),
        ["status whose low byte is 0"] = h => h.Driver.Write(VirtioMmioRegister.Status, 0xffff_ff00),
        ["queues that do not exist are set up"] = h =>
        {
            foreach (uint queue in (uint[])[3, 4, 0x7fff_ffff, 0x8000_0000, uint.MaxValue])
            {
                h.Driver.Write(VirtioMmioRegister.QueueSel, queue);
                h.Driver.Read(VirtioMmioRegister.QueueNumMax).Should().Be(0);
                h.Driver.Write(VirtioMmioRegister.QueueNum, 8);
                h.Driver.WriteAddress(VirtioMmioRegister.QueueDescLow, new GuestAddress(0x1000));
                h.Driver.Write(VirtioMmioRegister.QueueReady, 1);
                h.Driver.Read(VirtioMmioRegister.QueueReady).Should().Be(0);
                h.Driver.Write(VirtioMmioRegister.QueueReset, 1);
                h.Driver.Write(VirtioMmioRegister.QueueReady, 0);
            }
        },
        ["queues that do not exist are notified"] = h =>
        {
            foreach (uint queue in (uint[])[3, 64, 0xffff, 0x10000, uint.MaxValue])
            {
                h.Driver.Write(VirtioMmioRegister.QueueNotify, queue);
            }
        },
        ["queues are notified before DRIVER_OK"] = h =>
        {
            h.Driver.Negotiate(HostileGuest.Features).Should().BeTrue();
            h.Driver.SetUpQueue(0);
            h.Driver.SetUpQueue(1);
            h.Driver.SetUpQueue(2);
            h.Kick(0);
            h.Kick(1);
            h.Kick(2);
            h.Driver.Queues[1].UsedIndex.Should().Be(0);
        },
        ["queues are notified after a reset"] = h =>
        {
            h.Driver.Write(VirtioMmioRegister.Status, 0);
            h.Kick(0);
            h.Kick(1);
            h.Kick(2);
        },
        ["a queue is made ready before FEATURES_OK"] = h =>
        {
            h.Driver.Write(VirtioMmioRegister.Status, 0);
            h.Driver.SetUpQueue(1);
            h.Driver.Queues[1].SetAvailableIndex(0x8000);
            h.Kick(1);
            h.Driver.Status.Should().Be(VirtioStatus.None, "nobody looks at the ring before DRIVER_OK");
        },
        ["a ready queue is moved"] = h =>
        {
            h.Driver.Write(VirtioMmioRegister.QueueSel, 1);
            h.Driver.WriteAddress(VirtioMmioRegister.QueueDescLow, new GuestAddress(ulong.MaxValue));
            h.Driver.WriteAddress(VirtioMmioRegister.QueueDeviceLow, new GuestAddress(ulong.MaxValue));
            h.Driver.Write(VirtioMmioRegister.QueueNum, 1);
            h.Driver.Write(VirtioMmioRegister.QueueReady, 1);
            h.Guest.ShouldCarryTraffic();
        },
        ["queue reset without its feature"] = h =>
        {
            h.Guest.Start(HostileGuest.Features & ~VirtioFeatures.RingReset);
            h.Driver.Write(VirtioMmioRegister.QueueSel, 1);
            h.Driver.Write(VirtioMmioRegister.QueueReset, 1);
            h.Driver.Read(VirtioMmioRegister.QueueReady).Should().Be(1);
        },
        ["queue reset with other values"] = h =>
        {
            h.Driver.Write(VirtioMmioRegister.QueueSel, 1);
            h.Driver.Write(VirtioMmioRegister.QueueReset, 2);
            h.Driver.Write(VirtioMmioRegister.QueueReset, 0);
            h.Driver.Read(VirtioMmioRegister.QueueReady).Should().Be(1);
        },
        ["interrupts acknowledged that were never sent"] = h => h.Driver.Write(VirtioMmioRegister.InterruptAck, uint.MaxValue),
        ["interrupts never acknowledged"] = h =>
        {
            for (int i = 0; i < 50; i++)
            {
                h.Guest.ShouldCarryTraffic();
            }

            h.Driver.Line.RisingEdges.Should().Be(1, "the line stays up");
        },
        ["shared memory regions that do not exist"] = h =>
        {
            h.Driver.Write(VirtioMmioRegister.SharedMemorySel, 5);
            h.Driver.Read(VirtioMmioRegister.SharedMemoryLenLow).Should().Be(uint.MaxValue);
        },
    };

    public static TheoryData<string> Names => [.. Attacks.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Registers_Abused_DeviceRecovers(string attack)
    {
        using HostileGuest hostile = new();

        Attacks[attack](hostile);

        hostile.ShouldRecover();
    }

    [Fact]
    public void Reset_InALoopWhileTrafficFlows_NeverHangs()
    {
        using HostileGuest hostile = new();
        using CancellationTokenSource stop = new();
        Thread flood = StartFlood(hostile, stop.Token);

        for (int i = 0; i < 500; i++)
        {
            hostile.Guest.Start(HostileGuest.Features);
            hostile.Guest.PostMany(0, 16, 512);
            hostile.Guest.Send(NetGuest.Frame(100));
        }

        stop.Cancel();
        flood.Join();
        hostile.ShouldRecover();
    }

    [Fact]
    public void ResetQueue_InALoopWhileTrafficFlows_NeverHangs()
    {
        using HostileGuest hostile = new();
        using CancellationTokenSource stop = new();
        Thread flood = StartFlood(hostile, stop.Token);
        Random random = new(3);

        for (int i = 0; i < 1000; i++)
        {
            int queue = random.Next(3);
            hostile.Driver.Write(VirtioMmioRegister.QueueSel, (uint)queue);
            hostile.Driver.Write(random.Next(2) == 0 ? VirtioMmioRegister.QueueReset : VirtioMmioRegister.QueueReady, queue == 1 ? 1u : 0u);
            hostile.Driver.Queues[queue].Clear();
            hostile.Driver.SetUpQueue(queue);
            hostile.Guest.PostMany(0, hostile.Driver.Queues[0].FreeDescriptors > 16 ? 4 : 0, 512);
            if (i % 100 == 0)
            {
                hostile.Guest.Start(HostileGuest.Features);
            }
        }

        stop.Cancel();
        flood.Join();
        hostile.ShouldRecover();
    }

    [Fact]
    public void Registers_FromSeveralVcpusAtOnce_NeverHang()
    {
        using HostileGuest hostile = new();
        VirtioMmioTransport transport = hostile.Driver.Transport;
        Thread[] vcpus = [.. Enumerable.Range(0, 3).Select(seed => new Thread(() =>
        {
            Random random = new(seed);
            byte[] value = new byte[4];
            for (int i = 0; i < 20_000; i++)
            {
                ulong offset = (ulong)random.Next(0x120) & ~3ul;
                random.NextBytes(value);
                if (random.Next(3) != 0)
                {
                    value[1] = value[2] = value[3] = 0;
                    value[0] &= 15;
                }

                if (random.Next(2) == 0)
                {
                    transport.Write(offset, value);
                }
                else
                {
                    transport.Read(offset, value);
                }
            }
        }))];
        Array.ForEach(vcpus, vcpu => vcpu.Start());

        foreach (Thread vcpu in vcpus)
        {
            vcpu.Join(TimeSpan.FromSeconds(60)).Should().BeTrue("no vCPU waits for ever");
        }

        hostile.ShouldRecover();
    }

    private static Thread StartFlood(HostileGuest hostile, CancellationToken stop)
    {
        Thread thread = new(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                if (hostile.Guest.Backend.Queues[0].Waiting < 100)
                {
                    hostile.Guest.Backend.Queues[0].Inject(NetGuest.Frame(1000));
                }

                hostile.Driver.Notify(0);
                hostile.Driver.Notify(1);
                hostile.Driver.Notify(2);
            }
        });
        thread.Start();
        return thread;
    }

    private static void ForEachAccess(Action<int, int> access)
    {
        for (int offset = 0; offset < 0x200; offset++)
        {
            foreach (int width in (int[])[1, 2, 3, 4, 8])
            {
                access(offset, width);
            }
        }
    }

    private static void WriteAll(HostileGuest hostile, byte value) => ForEachAccess((offset, width) =>
    {
        if (offset != (int)VirtioMmioRegister.Status)
        {
            byte[] data = new byte[width];
            data[0] = value;
            if (value == 0xff)
            {
                Array.Fill(data, value);
            }

            hostile.Driver.Transport.Write((ulong)offset, data);
        }
    });
}
