namespace Vmm.Core.Machine;

/// <summary>Why a machine ended.</summary>
public enum GuestEndCause
{
    /// <summary>The guest powered itself off.</summary>
    PowerOff,

    /// <summary>The guest asked for a reset (ACPI's reset register, i8042).</summary>
    Reset,

    /// <summary>The guest wrote a status to the debug-exit port.</summary>
    DebugExit,

    /// <summary>A triple fault: what a reset of last resort looks like, and a crashed kernel too.</summary>
    TripleFault,

    /// <summary>The guest did what the hypervisor can't run.</summary>
    Crash,

    /// <summary>The guest's kernel says that it has panicked (pvpanic).</summary>
    Panic,

    /// <summary>The user stopped it.</summary>
    Stopped,

    /// <summary>It has not ended: another process goes on with it.</summary>
    HandedOver,

    /// <summary>The VMM itself failed.</summary>
    HostError,
}

/// <summary>How a machine ended.</summary>
/// <param name="Cause">The kind of end.</param>
/// <param name="Status">The value of a debug exit, otherwise 0.</param>
/// <param name="Report">What a person should read: registers and code at the point of a crash. Null when there is nothing to say.</param>
public sealed record GuestEnd(GuestEndCause Cause, byte Status = 0, string? Report = null);
