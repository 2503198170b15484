using Vmm.Core.Memory;
using Vmm.Core.State;

namespace Vmm.Devices.VirtioNet;

// Saving and restoring. The device is paused.
public sealed partial class VirtioNetDevice
{
    private static readonly StateKind<VirtioNetSectionState> s_kind = new(version: 1, example: CreateExample);

    /// <summary>What the section is made of.</summary>
    public static StateKind StateKind => s_kind;

    /// <summary>What migrates of the device. It is applied before the transport's section.</summary>
    public IStateSection CreateStateSection() => new Section(this);

    private sealed class Section(VirtioNetDevice device) : StateSection<VirtioNetSectionState>($"{device._config.Id}/virtio-net", s_kind)
    {
        private VirtioNetSectionState _collected = new() { Pairs = new ReceiveQueueState[device._pairs.Length] };

        protected override ref VirtioNetSectionState Collect()
        {
            _collected.Device = device._state;
            for (int i = 0; i < device._pairs.Length; i++)
            {
                _collected.Pairs[i] = device._pairs[i].Receive.State;
            }

            return ref _collected;
        }

        /// <summary>The frames go straight to where they will be used: nobody looks there before the device runs.</summary>
        protected override VirtioNetSectionState Prepare() => new()
        {
            Device = VirtioNetState.Initial(device._config.Mac, linkUp: true),
            Pairs = [.. device._pairs.Select(pair => new ReceiveQueueState { PendingFrame = pair.Receive.State.PendingFrame })],
        };

        protected override string? Check(in VirtioNetSectionState state)
            => state.Device.ActivePairs < 1 || state.Device.ActivePairs > device._pairs.Length
                ? $"device.active_pairs {state.Device.ActivePairs} is not 1 to {device._pairs.Length}"
                : null;

        protected override void Apply(ref VirtioNetSectionState state)
        {
            lock (device._lock)
            {
                device._state = state.Device;
                for (int i = 0; i < device._pairs.Length; i++)
                {
                    device._pairs[i].Receive.State.PendingLength = state.Pairs[i].PendingLength;
                }
            }
        }
    }

    /// <summary>One queue pair, with a frame that waits.</summary>
    private static VirtioNetSectionState CreateExample() => new()
    {
        Device = VirtioNetState.Initial(default, linkUp: true),
        Pairs = [new ReceiveQueueState { PendingFrame = new HostBuffer(1), PendingLength = 1 }],
    };
}
