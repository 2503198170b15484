using Vmm.Core.State;

namespace Vmm.Core.Machine;

/// <summary>What the machine did when it was handed over, and goes on to do.</summary>
public struct MachineRunState : IDescribed<MachineRunState>
{
    /// <summary>The user had stopped it.</summary>
    public bool IsPaused;

    /// <summary>When the guest was booted: milliseconds since 1970.</summary>
    public long Started;

    public static string StateName => "machine";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref MachineRunState state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Field("paused", ref state.IsPaused);
        visitor.Field("started", ref state.Started);
    }

    public static string? PostLoad(scoped ref MachineRunState state)
        => state.Started < 0 || state.Started > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds() ? $"started {state.Started} is no time" : null;
}
