using Vmm.Core.State;

namespace Vmm.Core.Machine;

/// <summary>What the machine did when it was handed over, and goes on to do.</summary>
public struct MachineRunState : IDescribed<MachineRunState>
{
    /// <summary>The version in which it is written.</summary>
#if NEXT_STATE_VERSION
    public const int Version = 2;
#else
    public const int Version = 1;
#endif

    /// <summary>The user had stopped it.</summary>
    public bool IsPaused;

    /// <summary>When the guest was booted: milliseconds since 1970.</summary>
    public long Started;

#if NEXT_STATE_VERSION
    /// <summary>How often the machine has gone to another process; 0 from one that does not count.</summary>
    public uint Moves;
#endif

    public static string StateName => "machine";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref MachineRunState state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Field("paused", ref state.IsPaused);
        visitor.Field("started", ref state.Started);
#if NEXT_STATE_VERSION
        visitor.Field("moves", ref state.Moves, since: 2);
#endif
    }

    public static string? PostLoad(scoped ref MachineRunState state)
        => state.Started < 0 || state.Started > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds() ? $"started {state.Started} is no time" : null;
}
