using System.Buffers.Binary;
using Vmm.Core.Memory;

namespace Vmm.Core.Virtio;

// The register file.
public sealed partial class VirtioMmioTransport
{
    private const uint Magic = 0x7472_6976; // "virt"
    private const uint MmioVersion = 2;
    private const uint Vendor = 0x554d_4551; // "QEMU": what drivers' tables know

    public void Read(ulong offset, Span<byte> data)
    {
        if (offset >= (ulong)VirtioMmioRegister.Config)
        {
            lock (_lock)
            {
                data.Clear();
                _device.ReadConfig((uint)(offset - (ulong)VirtioMmioRegister.Config), data);
            }

            return;
        }

        // SPEC: 4.2.2.2: control registers take aligned 32-bit accesses only.
        if (data.Length != 4 || offset % 4 != 0)
        {
            Interlocked.Increment(ref _badAccesses);
            return;
        }

        BinaryPrimitives.WriteUInt32LittleEndian(data, ReadRegister((VirtioMmioRegister)offset));
    }

    public void Write(ulong offset, ReadOnlySpan<byte> data)
    {
        if (offset >= (ulong)VirtioMmioRegister.Config)
        {
            lock (_lock)
            {
                _device.WriteConfig((uint)(offset - (ulong)VirtioMmioRegister.Config), data);
            }

            return;
        }

        if (data.Length != 4 || offset % 4 != 0)
        {
            Interlocked.Increment(ref _badAccesses);
            return;
        }

        uint value = BinaryPrimitives.ReadUInt32LittleEndian(data);
        switch ((VirtioMmioRegister)offset)
        {
            case VirtioMmioRegister.QueueNotify:
                if (value < (uint)_queues.Length)
                {
                    _device.GetDoorbell((int)value).Signal();
                }

                break;
            case VirtioMmioRegister.InterruptAck:
                Acknowledge(value);
                break;
            default:
                lock (_lock)
                {
                    WriteRegister((VirtioMmioRegister)offset, value);
                }

                break;
        }
    }

    private uint ReadRegister(VirtioMmioRegister register)
    {
        // These two are what an interrupt handler reads: no waiting for another vCPU's reset.
        switch (register)
        {
            case VirtioMmioRegister.InterruptStatus:
                return Volatile.Read(ref _state.InterruptStatus);
            case VirtioMmioRegister.ConfigGeneration:
                return Volatile.Read(ref _state.ConfigGeneration);
            default:
                lock (_lock)
                {
                    return ReadLocked(register);
                }
        }
    }

    private uint ReadLocked(VirtioMmioRegister register) => register switch
    {
        VirtioMmioRegister.MagicValue => Magic,
        VirtioMmioRegister.Version => MmioVersion,
        VirtioMmioRegister.DeviceId => _device.DeviceId,
        VirtioMmioRegister.VendorId => Vendor,
        VirtioMmioRegister.DeviceFeatures => HalfOf(_offeredFeatures, _state.DeviceFeaturesSelector),
        VirtioMmioRegister.QueueNumMax => SelectedQueue?.MaxSize ?? 0u,
        VirtioMmioRegister.QueueReady => SelectedQueue is { State.Ready: true } ? 1u : 0u,
        VirtioMmioRegister.Status => (uint)_state.Status,

        // SPEC: 4.2.2: no shared memory region: length and base read as all ones.
        VirtioMmioRegister.SharedMemoryLenLow or VirtioMmioRegister.SharedMemoryLenHigh => uint.MaxValue,
        VirtioMmioRegister.SharedMemoryBaseLow or VirtioMmioRegister.SharedMemoryBaseHigh => uint.MaxValue,

        // A queue reset is complete when the write returns.
        VirtioMmioRegister.QueueReset => 0,
        _ => BadRead(),
    };

    private uint BadRead()
    {
        Interlocked.Increment(ref _badAccesses);
        return 0;
    }

    private void WriteRegister(VirtioMmioRegister register, uint value)
    {
        switch (register)
        {
            case VirtioMmioRegister.DeviceFeaturesSel:
                _state.DeviceFeaturesSelector = value;
                break;
            case VirtioMmioRegister.DriverFeaturesSel:
                _state.DriverFeaturesSelector = value;
                break;
            case VirtioMmioRegister.DriverFeatures:
                WriteDriverFeatures(value);
                break;
            case VirtioMmioRegister.QueueSel:
                _state.QueueSelector = value;
                break;
            case VirtioMmioRegister.Status:
                WriteStatus((VirtioStatus)(byte)value, value);
                break;
            case VirtioMmioRegister.QueueReady:
                WriteQueueReady(value);
                break;
            case VirtioMmioRegister.QueueReset:
                WriteQueueReset(value);
                break;
            case VirtioMmioRegister.SharedMemorySel:
                break;
            default:
                WriteQueueSetting(register, value);
                break;
        }
    }

    private void WriteQueueSetting(VirtioMmioRegister register, uint value)
    {
        if (SelectedQueue is not { State.Ready: false } queue)
        {
            // SPEC: 4.2.2.2: the driver must not change a queue that is ready; one that does not exist has no settings.
            Interlocked.Increment(ref _badAccesses);
            return;
        }

        ref VirtqueueState s = ref queue.State;
        switch (register)
        {
            case VirtioMmioRegister.QueueNum:
                // What does not fit 16 bits can't be right either: Open refuses size 0.
                s.Size = value > ushort.MaxValue ? (ushort)0 : (ushort)value;
                break;
            case VirtioMmioRegister.QueueDescLow:
                s.DescriptorTable = WithLow(s.DescriptorTable, value);
                break;
            case VirtioMmioRegister.QueueDescHigh:
                s.DescriptorTable = WithHigh(s.DescriptorTable, value);
                break;
            case VirtioMmioRegister.QueueDriverLow:
                s.AvailableRing = WithLow(s.AvailableRing, value);
                break;
            case VirtioMmioRegister.QueueDriverHigh:
                s.AvailableRing = WithHigh(s.AvailableRing, value);
                break;
            case VirtioMmioRegister.QueueDeviceLow:
                s.UsedRing = WithLow(s.UsedRing, value);
                break;
            case VirtioMmioRegister.QueueDeviceHigh:
                s.UsedRing = WithHigh(s.UsedRing, value);
                break;
            default:
                Interlocked.Increment(ref _badAccesses);
                break;
        }
    }

    private Virtqueue? SelectedQueue => _state.QueueSelector < (uint)_queues.Length ? _queues[_state.QueueSelector] : null;

    private static uint HalfOf(ulong features, uint selector) => selector switch
    {
        0 => (uint)features,
        1 => (uint)(features >> 32),
        _ => 0,
    };

    private static GuestAddress WithLow(GuestAddress address, uint low) => new(address.Value & 0xffff_ffff_0000_0000 | low);

    private static GuestAddress WithHigh(GuestAddress address, uint high) => new((ulong)high << 32 | (uint)address.Value);
}
