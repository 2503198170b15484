namespace Vmm.Cli.Machines;

/// <summary>What a machine does, in the words of QEMU's query-status.</summary>
internal enum RunState
{
    /// <summary>Built, and not started.</summary>
    PreLaunch,

    /// <summary>Waits for the machine that is to be handed to this process.</summary>
    InMigrate,

    Running,

    /// <summary>Stopped by the user, who may let it go on.</summary>
    Paused,

    /// <summary>Stopped for a moment, to be handed to another process.</summary>
    FinishMigrate,

    /// <summary>Another process runs the guest now; here it never runs again.</summary>
    PostMigrate,

    /// <summary>The guest has ended.</summary>
    Shutdown,
}

internal static class RunStateExtensions
{
    /// <summary>As QMP has it.</summary>
    public static string GetName(this RunState state) => state switch
    {
        RunState.PreLaunch => "prelaunch",
        RunState.InMigrate => "inmigrate",
        RunState.Running => "running",
        RunState.Paused => "paused",
        RunState.FinishMigrate => "finish-migrate",
        RunState.PostMigrate => "postmigrate",
        RunState.Shutdown => "shutdown",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "no such state"),
    };
}
