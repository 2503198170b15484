using System.Buffers.Binary;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Vmm.Core.Memory;
using Vmm.Core.Virtio;

namespace Vmm.Testing.Virtio;

/// <summary>
/// A driver's view of a device behind a real virtio-mmio transport: registers, negotiation, queues. Guest memory and the transport are
/// the product's own; only the vCPU and the interrupt controller are missing.
/// </summary>
public sealed class DriverDevice : IDisposable
{
    private readonly IVirtioDevice _device;

    /// <param name="memorySize">Bytes of guest RAM; rings are laid out from <paramref name="ringStart"/> on.</param>
    /// <param name="log">Takes the transport's messages.</param>
    public DriverDevice(IVirtioDevice device, ulong memorySize = 16 << 20, ulong ringStart = 0x10_0000, ILogger? log = null)
    {
        _device = device;
        Memory = GuestMemory.Create(new GuestMemoryOptions(memorySize));
        Line = new RecordingInterruptLine();
        Transport = new VirtioMmioTransport("test0", device, Memory, Line, log ?? NullLogger.Instance);
        ulong next = ringStart;
        Queues = new DriverQueue[device.MaxQueueSizes.Count];
        for (int i = 0; i < Queues.Length; i++)
        {
            Queues[i] = new DriverQueue(Memory, device.MaxQueueSizes[i], new GuestAddress(next));
            next += DriverQueue.ByteSize(device.MaxQueueSizes[i]);
        }

        FreeMemory = new GuestAddress((next + 0xfff) & ~0xffful);
    }

    public GuestMemory Memory { get; }

    public RecordingInterruptLine Line { get; }

    public VirtioMmioTransport Transport { get; }

    public DriverQueue[] Queues { get; }

    /// <summary>The first page that no ring uses.</summary>
    public GuestAddress FreeMemory { get; }

    public VirtioStatus Status => (VirtioStatus)(byte)Read(VirtioMmioRegister.Status);

    public ulong OfferedFeatures
    {
        get
        {
            Write(VirtioMmioRegister.DeviceFeaturesSel, 1);
            ulong high = Read(VirtioMmioRegister.DeviceFeatures);
            Write(VirtioMmioRegister.DeviceFeaturesSel, 0);
            return high << 32 | Read(VirtioMmioRegister.DeviceFeatures);
        }
    }

    public uint Read(VirtioMmioRegister register)
    {
        Span<byte> data = stackalloc byte[4];
        Transport.Read((ulong)register, data);
        return BinaryPrimitives.ReadUInt32LittleEndian(data);
    }

    public void Write(VirtioMmioRegister register, uint value)
    {
        Span<byte> data = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(data, value);
        Transport.Write((ulong)register, data);
    }

    public byte[] ReadConfig(int offset, int length)
    {
        byte[] data = new byte[length];
        Transport.Read((ulong)VirtioMmioRegister.Config + (ulong)offset, data);
        return data;
    }

    /// <summary>Resets, negotiates exactly <paramref name="features"/> and says DRIVER_OK. The queues listed (all by default) are set up and ready.</summary>
    /// <returns>False when the device refused the features.</returns>
    public bool Start(ulong features, params int[] queues)
    {
        if (!Negotiate(features))
        {
            return false;
        }

        foreach (int queue in queues.Length == 0 ? [.. Enumerable.Range(0, Queues.Length)] : queues)
        {
            Queues[queue].Clear();
            SetUpQueue(queue);
        }

        Write(VirtioMmioRegister.Status, (uint)(VirtioStatus.Acknowledge | VirtioStatus.Driver | VirtioStatus.FeaturesOk | VirtioStatus.DriverOk));
        return true;
    }

    /// <summary>Resets and negotiates up to FEATURES_OK.</summary>
    public bool Negotiate(ulong features)
    {
        Write(VirtioMmioRegister.Status, 0);
        Write(VirtioMmioRegister.Status, (uint)VirtioStatus.Acknowledge);
        Write(VirtioMmioRegister.Status, (uint)(VirtioStatus.Acknowledge | VirtioStatus.Driver));
        Write(VirtioMmioRegister.DriverFeaturesSel, 0);
        Write(VirtioMmioRegister.DriverFeatures, (uint)features);
        Write(VirtioMmioRegister.DriverFeaturesSel, 1);
        Write(VirtioMmioRegister.DriverFeatures, (uint)(features >> 32));
        Write(VirtioMmioRegister.Status, (uint)(VirtioStatus.Acknowledge | VirtioStatus.Driver | VirtioStatus.FeaturesOk));
        return (Status & VirtioStatus.FeaturesOk) != 0;
    }

    /// <summary>Writes a queue's addresses and makes it ready.</summary>
    public void SetUpQueue(int index)
    {
        DriverQueue queue = Queues[index];
        Write(VirtioMmioRegister.QueueSel, (uint)index);
        Write(VirtioMmioRegister.QueueNum, queue.Size);
        WriteAddress(VirtioMmioRegister.QueueDescLow, queue.DescriptorTable);
        WriteAddress(VirtioMmioRegister.QueueDriverLow, queue.AvailableRing);
        WriteAddress(VirtioMmioRegister.QueueDeviceLow, queue.UsedRing);
        Write(VirtioMmioRegister.QueueReady, 1);
    }

    public void WriteAddress(VirtioMmioRegister low, GuestAddress address)
    {
        Write(low, (uint)address.Value);
        Write(low + 4, (uint)(address.Value >> 32));
    }

    /// <summary>Rings the doorbell of a queue.</summary>
    public void Notify(int queue) => Write(VirtioMmioRegister.QueueNotify, (uint)queue);

    /// <summary>Reads and acknowledges the interrupt status, as a handler does.</summary>
    public uint AcknowledgeInterrupt()
    {
        uint status = Read(VirtioMmioRegister.InterruptStatus);
        Write(VirtioMmioRegister.InterruptAck, status);
        return status;
    }

    /// <summary>Takes the next used element of a queue, waiting for the device's threads; false after the timeout.</summary>
    public bool WaitForUsed(int queue, out uint head, out uint written, int timeoutMilliseconds = 20_000)
    {
        long end = Environment.TickCount64 + timeoutMilliseconds;
        while (!Queues[queue].TryGetUsed(out head, out written))
        {
            if (Environment.TickCount64 > end)
            {
                // This thread may have been away for all of the time.
                return Queues[queue].TryGetUsed(out head, out written);
            }

            Thread.Sleep(0);
        }

        return true;
    }

    public void Dispose()
    {
        _device.Dispose();
        Memory.Dispose();
    }
}
