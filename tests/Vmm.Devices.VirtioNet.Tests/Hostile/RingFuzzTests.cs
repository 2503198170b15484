using System.Diagnostics;
using Vmm.Core.Events;
using Vmm.Core.Memory;
using Vmm.Core.Virtio;
using Vmm.Devices.VirtioNet.Tests.Harness;
using Vmm.Testing.Virtio;

namespace Vmm.Devices.VirtioNet.Tests.Hostile;

/// <summary>
/// Random rings, half sound and half not, with the device running on them. VMM_FUZZ_SECONDS and VMM_FUZZ_SEED set how long and from where.
/// </summary>
public sealed class RingFuzzTests(ITestOutputHelper output)
{
    private const int OperationsPerCase = 60;

    private static readonly ulong[] Addresses =
    [
        0, 1, 0xfff, 0x10_0000, 0xff_ffff, 0x100_0000, 0xc000_0000, 0xffff_ffff, 0x1_0000_0000, 1ul << 40, 1ul << 63, ulong.MaxValue - 4095, ulong.MaxValue,
    ];

    private static readonly uint[] Lengths = [0, 1, 2, 11, 12, 13, 16, 26, 60, 1526, 4096, 0xffff, 0x10000, 0x11000, 0x100_0000, 0x7fff_ffff, 0x8000_0000, uint.MaxValue];

    [Fact]
    public void Rings_OfAnyContents_LeaveTheDeviceAliveAndRecoverable()
    {
        int seed = int.TryParse(Environment.GetEnvironmentVariable("VMM_FUZZ_SEED"), out int given) ? given : Random.Shared.Next();
        double seconds = double.TryParse(Environment.GetEnvironmentVariable("VMM_FUZZ_SECONDS"), out double length) ? length : 10;

        // A crash takes the captured output with it: the seed is said at once.
        Console.Error.WriteLine($"ring fuzzer: VMM_FUZZ_SEED={seed}");
        long start = Stopwatch.GetTimestamp();
        using HostileGuest hostile = new();
        int cases = 0;
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds)
        {
            int caseSeed = seed + cases++;
            try
            {
                RunCase(hostile, new Random(caseSeed));
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"The case VMM_FUZZ_SEED={caseSeed} failed.", e);
            }
        }

        output.WriteLine($"{cases} cases from seed {seed}, {hostile.Driver.Transport.Metrics.Faults} rings found broken");
        cases.Should().BeGreaterThan(0);
        hostile.Driver.Transport.Metrics.Faults.Should().BeGreaterThan(0, "the fuzzer reaches the checks");
        (hostile.Guest.Received.Frames + hostile.Guest.Transmitted.Frames).Should().BeGreaterThan(cases, "and the paths behind them");
    }

    private static void RunCase(HostileGuest hostile, Random random)
    {
        ulong features = NetGuest.Base;
        foreach (ulong feature in (ulong[])[VirtioFeatures.RingIndirectDescriptors, VirtioFeatures.RingEventIndex, VirtioNetFeatures.MergeableReceiveBuffers])
        {
            features |= random.Next(2) == 0 ? 0 : feature;
        }

        features |= random.Next(2) == 0 ? 0 : HostileGuest.Features & ~VirtioNetFeatures.MergeableReceiveBuffers & ~VirtioFeatures.RingIndirectDescriptors;
        hostile.Guest.Start(features);
        for (int i = 0; i < OperationsPerCase; i++)
        {
            Operate(hostile, random);
        }

        hostile.ShouldRecover();
    }

    private static void Operate(HostileGuest hostile, Random random)
    {
        int index = random.Next(3);
        DriverQueue queue = hostile.Driver.Queues[index];
        switch (random.Next(10))
        {
            case 0:
                hostile.Kick(index);
                break;
            case 1:
                queue.SetAvailableIndex((ushort)(queue.AvailableIndex + random.Next(-2, queue.Size + 3)));
                break;
            case 2:
                queue.SetUsedEvent((ushort)random.Next(1 << 16));
                queue.SetAvailableFlags((ushort)random.Next(4));
                break;
            case 3:
                queue.MakeAvailable((ushort)random.Next(queue.Size + (random.Next(20) == 0 ? 100 : 0)));
                break;
            case 4:
                hostile.Driver.Transport.Pause();
                hostile.Driver.Transport.Resume();
                break;
            default:
                WriteChain(hostile, queue, index, random);
                Serve(hostile, index, random);
                break;
        }
    }

    /// <summary>Half of the batches run at once on this thread, so that a case goes the same way each time; the rest on the device's own.</summary>
    private static void Serve(HostileGuest hostile, int index, Random random)
    {
        QueuePair pair = hostile.Guest.Device.GetPair(0);
        if (index == 2 || random.Next(2) == 0)
        {
            hostile.Kick(index);
        }
        else if (index == 1)
        {
            pair.OnTransmitDoorbell(ReadyEvents.In);
        }
        else
        {
            hostile.Guest.Backend.Queues[0].Repeat(NetGuest.Frame(random.Next(4) == 0 ? 9000 : 200));
            pair.OnReceiveDoorbell(ReadyEvents.In);
        }
    }

    /// <summary>A chain that is sound but for, now and then, one thing.</summary>
    private static void WriteChain(HostileGuest hostile, DriverQueue queue, int index, Random random)
    {
        int count = random.Next(1, random.Next(8) == 0 ? 40 : 5);
        bool isIndirect = random.Next(4) == 0;
        int size = isIndirect ? count : queue.Size;
        int first = isIndirect ? 0 : random.Next(queue.Size);
        GuestAddress table = isIndirect ? new GuestAddress(hostile.Buffers + (ulong)random.Next(0x8000, 0xf000)) : queue.DescriptorTable;
        for (int i = 0; i < count; i++)
        {
            int at = (first + i) % size;
            bool isLast = i == count - 1;
            bool isWritable = index == 0 || (index == 2 && isLast);
            int flags = (isWritable ? DriverQueue.Write : 0) | (isLast ? 0 : DriverQueue.Next);
            int next = (at + 1) % size;
            ulong address = hostile.Buffers + (ulong)random.Next(0x8000);
            uint length = (uint)random.Next(1, index == 2 ? 12 : 2000);
            switch (random.Next(60))
            {
                case 0:
                    address = Addresses[random.Next(Addresses.Length)] + (ulong)random.Next(64);
                    break;
                case 1:
                    length = Lengths[random.Next(Lengths.Length)];
                    break;
                case 2:
                    flags = random.Next(1 << 16);
                    break;
                case 3:
                    next = random.Next(1 << 16);
                    break;
                default:
                    break;
            }

            if (NamesTheCanary(address, length))
            {
                length = 64;
                address = hostile.Buffers;
            }

            queue.WriteDescriptorAt(table + 16ul * (uint)at, new GuestAddress(address), length, (ushort)flags, (ushort)next);
        }

        if (isIndirect)
        {
            first = random.Next(queue.Size);
            uint bytes = 16u * (uint)count + (random.Next(30) == 0 ? Lengths[random.Next(Lengths.Length)] : 0);
            queue.WriteDescriptor((ushort)first, table, bytes, DriverQueue.Indirect, 0);
        }

        queue.MakeAvailable((ushort)first);
    }

    /// <summary>What lies below 1 MiB is not to be named, so that a change there is the device's fault.</summary>
    private static bool NamesTheCanary(ulong address, uint length) => address < 0x10_0000 && length <= 0x100_0000;
}
