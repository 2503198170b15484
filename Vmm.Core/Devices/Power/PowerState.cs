using Vmm.Core.Machine;
using Vmm.Core.State;

namespace Vmm.Core.Devices.Power;

/// <summary>What migrates of it.</summary>
internal struct PowerState : IDescribed<PowerState>
{
    /// <summary>The event register.</summary>
    public uint Events;

    public static string StateName => "power";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref PowerState state) where TVisitor : IStateVisitor, allows ref struct
        => visitor.Field("events", ref state.Events);

    public static string? PostLoad(scoped ref PowerState state)
        => (state.Events & ~MachineLayout.PowerButtonEvent) == 0 ? null : $"events 0x{state.Events:x} has bits that do not exist";
}
