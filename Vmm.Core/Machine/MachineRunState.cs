using Vmm.Core.State;

namespace Vmm.Core.Machine;

/// <summary>What the machine did when it was handed over, and goes on to do.</summary>
public struct MachineRunState : IDescribed<MachineRunState>
{
    /// <summary>The user had stopped it.</summary>
    public bool IsPaused;

    public static string StateName => "machine";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref MachineRunState state) where TVisitor : IStateVisitor, allows ref struct
        => visitor.Field("paused", ref state.IsPaused);
}
