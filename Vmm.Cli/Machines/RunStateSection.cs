using Vmm.Core.Machine;
using Vmm.Core.State;

namespace Vmm.Cli.Machines;

internal sealed partial class Machine
{
    private static readonly StateKind<MachineRunState> s_runStateKind = new(MachineRunState.Version);

    /// <summary>What the section of the run state is made of.</summary>
    public static StateKind RunStateKind => s_runStateKind;

#if NEXT_STATE_VERSION
    private uint _moves;
#endif

    private sealed class RunStateSection(Machine machine) : StateSection<MachineRunState>("machine", s_runStateKind)
    {
        private MachineRunState _state;

        protected override ref MachineRunState Collect()
        {
            _state.IsPaused = machine._stateBefore == RunState.Paused;
            _state.Started = machine.Started.ToUnixTimeMilliseconds();
#if NEXT_STATE_VERSION
            _state.Moves = machine._moves + 1;
#endif
            return ref _state;
        }

        protected override MachineRunState Prepare() => default;

        protected override void Apply(ref MachineRunState state)
        {
            machine._stateBefore = state.IsPaused ? RunState.Paused : RunState.Running;
#if NEXT_STATE_VERSION
            machine._moves = state.Moves;
#endif
            machine.Started = DateTimeOffset.FromUnixTimeMilliseconds(state.Started);
        }
    }
}
