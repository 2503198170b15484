namespace Vmm.Migration.Live;

/// <summary>The steps of a local migration, in order; each has a time-out, and messages name them.</summary>
public enum MigrationStep
{
    /// <summary>The manifest goes out.</summary>
    Hello,

    /// <summary>The destination looks at it.</summary>
    Verdict,

    /// <summary>RAM's and the back ends' descriptors go out.</summary>
    Resources,

    /// <summary>The destination builds the machine around them.</summary>
    Prepared,

    /// <summary>The destination sets what lasts of the state of a guest that still runs.</summary>
    Snapshot,

    /// <summary>The guest is stopped at a clean point.</summary>
    Pause,

    /// <summary>Its state is read.</summary>
    Save,

    /// <summary>It goes out.</summary>
    State,

    /// <summary>The destination sets it and takes the guest.</summary>
    Running,
}
