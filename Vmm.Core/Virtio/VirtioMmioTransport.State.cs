using Vmm.Core.State;

namespace Vmm.Core.Virtio;

// Saving and restoring. The device is paused.
public sealed partial class VirtioMmioTransport
{
    private static readonly StateKind<VirtioMmioTransportState> s_kind = new(version: 1, example: () => new() { Queues = new VirtqueueState[1] });

    /// <summary>What the section is made of.</summary>
    public static StateKind StateKind => s_kind;

    /// <summary>What migrates of the transport and its queues. It is applied after the device's own section.</summary>
    public IStateSection CreateStateSection() => new Section(this);

    private sealed class Section(VirtioMmioTransport transport) : StateSection<VirtioMmioTransportState>($"{transport._id}/virtio-mmio", s_kind)
    {
        private VirtioMmioTransportState _collected = transport.EmptyState();

        protected override ref VirtioMmioTransportState Collect()
        {
            _collected.Registers = transport._state;
            for (int i = 0; i < _collected.Queues.Length; i++)
            {
                _collected.Queues[i] = transport._queues[i].State;
            }

            return ref _collected;
        }

        protected override VirtioMmioTransportState Prepare() => transport.EmptyState();

        protected override string? Check(in VirtioMmioTransportState state) => transport.RefuseState(in state);

        protected override void Apply(ref VirtioMmioTransportState state) => transport.Restore(in state);
    }

    private VirtioMmioTransportState EmptyState() => new() { Queues = new VirtqueueState[_queues.Length] };

    private string? RefuseState(in VirtioMmioTransportState state)
    {
        ulong features = state.Registers.DriverFeatures;
        bool agreed = (state.Registers.Status & VirtioStatus.FeaturesOk) != 0;
        string? reason = agreed ? FeatureConflict(features) : null;
        if (reason is not null)
        {
            return $"driver_features 0x{features:x}: {reason}";
        }

        if ((state.Registers.Status & VirtioStatus.DriverOk) != 0 && !agreed)
        {
            return $"status 0x{(byte)state.Registers.Status:x2} has DRIVER_OK without FEATURES_OK";
        }

        if ((state.Registers.InterruptStatus & ~(UsedBufferInterrupt | ConfigInterrupt)) != 0)
        {
            return $"interrupt_status 0x{state.Registers.InterruptStatus:x} has bits that do not exist";
        }

        for (int i = 0; i < _queues.Length; i++)
        {
            // A queue of this process that no guest uses yet: restoring it is a way to look whether it can be.
            if (_queues[i].Restore(in state.Queues[i], features) is { } wrong)
            {
                return $"queues[{i}]: {wrong}";
            }
        }

        return null;
    }

    private void Restore(in VirtioMmioTransportState state)
    {
        lock (_lock)
        {
            lock (_interruptLock)
            {
                // ORDER: the line is not touched: what it has caused is part of the interrupt controllers' state.
                _state = state.Registers;
            }

            if ((state.Registers.Status & VirtioStatus.DriverOk) != 0)
            {
                _device.Restore(this);
            }
        }
    }
}
