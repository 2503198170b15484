using Vmm.Core.State;

namespace Vmm.Migration.Live;

/// <summary>When each part of a migration was done: nanoseconds of CLOCK_MONOTONIC, which all processes of a host share; 0 for what is not known.</summary>
public record struct MigrationTimes : IDescribed<MigrationTimes>
{
    /// <summary>The command began.</summary>
    public long Started { get => _started; init => _started = value; }

    /// <summary>The destination has accepted.</summary>
    public long Accepted { get => _accepted; set => _accepted = value; }

    /// <summary>The destination is prepared, and the guest is asked to pause.</summary>
    public long Prepared { get => _prepared; set => _prepared = value; }

    /// <summary>The guest is paused.</summary>
    public long Paused { get => _paused; set => _paused = value; }

    /// <summary>Its state is read.</summary>
    public long Saved { get => _saved; set => _saved = value; }

    /// <summary>How long the guest stood still before, as part of the same command, in nanoseconds.</summary>
    public long EarlierDowntime { get => _earlierDowntime; init => _earlierDowntime = value; }

    /// <summary>The destination has it.</summary>
    public long Received { get; set; }

    /// <summary>It has read it all and found it to be good.</summary>
    public long Loaded { get; set; }

    /// <summary>It is set.</summary>
    public long Applied { get; set; }

    /// <summary>The guest runs.</summary>
    public long Running { get; set; }

    /// <summary>Bytes of state.</summary>
    public int StateBytes { get; set; }

    // What the source knows goes along with the state.
    private long _started;
    private long _accepted;
    private long _prepared;
    private long _paused;
    private long _saved;
    private long _earlierDowntime;

    public static string StateName => "migration";

    /// <summary>How long the guest did not run, as the two processes see it, in nanoseconds.</summary>
    public long Downtime => Running - _prepared;

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref MigrationTimes state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Field("started", ref state._started);
        visitor.Field("accepted", ref state._accepted);
        visitor.Field("prepared", ref state._prepared);
        visitor.Field("paused", ref state._paused);
        visitor.Field("saved", ref state._saved);
        visitor.Field("earlier_downtime", ref state._earlierDowntime);
    }
}
