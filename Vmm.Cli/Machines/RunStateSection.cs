using Vmm.Core.Machine;
using Vmm.Core.State;

namespace Vmm.Cli.Machines;

internal sealed partial class Machine
{
    private static readonly StateKind<MachineRunState> s_runStateKind = new(version: 1);

    /// <summary>What the section of the run state is made of.</summary>
    public static StateKind RunStateKind => s_runStateKind;

    private sealed class RunStateSection(Machine machine) : StateSection<MachineRunState>("machine", s_runStateKind)
    {
        private MachineRunState _state;

        protected override ref MachineRunState Collect()
        {
            _state.IsPaused = machine._stateBefore == RunState.Paused;
            _state.Started = machine.Started.ToUnixTimeMilliseconds();
            return ref _state;
        }

        protected override MachineRunState Prepare() => default;

        protected override void Apply(ref MachineRunState state)
        {
            machine._stateBefore = state.IsPaused ? RunState.Paused : RunState.Running;
            machine.Started = DateTimeOffset.FromUnixTimeMilliseconds(state.Started);
        }
    }
}
