using Vmm.Core.State;

namespace Vmm.Core.Devices.Power;

public sealed partial class PowerDevice
{
    private static readonly StateKind<PowerState> s_kind = new(version: 1);

    /// <summary>What the section is made of.</summary>
    public static StateKind StateKind => s_kind;

    public IStateSection CreateStateSection() => new Section(this);

    private sealed class Section(PowerDevice power) : StateSection<PowerState>("power", s_kind)
    {
        protected override ref PowerState Collect() => ref power._state;

        protected override PowerState Prepare() => default;

        protected override void Apply(ref PowerState state)
        {
            lock (power._lock)
            {
                // ORDER: the line is not touched: what it has caused is part of the interrupt controllers' state.
                power._state = state;
            }
        }
    }
}
