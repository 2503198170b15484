namespace Vmm.Migration.Live;

/// <summary>What goes over the channel, in this order.</summary>
public enum MessageType : ushort
{
    /// <summary>Source to destination: the <see cref="Manifest"/>, as JSON; with it the baton's descriptor, which tells whether descriptors come through.</summary>
    Hello = 1,

    /// <summary>Destination to source: the <see cref="Verdict"/>, as JSON.</summary>
    Verdict = 2,

    /// <summary>Source to destination: a stream of the sections around which the machine is built, with RAM's and the back ends' descriptors.</summary>
    Resources = 3,

    /// <summary>Destination to source: everything that takes time is done; the guest may be paused.</summary>
    Prepared = 4,

    /// <summary>Source to destination: a stream of the machine's state. The baton is on offer.</summary>
    State = 5,

    /// <summary>Destination to source: it has taken the baton and runs the guest; when each of its steps was done, as JSON.</summary>
    Running = 6,

    /// <summary>Either way: it can't go on; the reason, as text.</summary>
    Failed = 7,

    /// <summary>Source to destination, after a stream and its <see cref="Prepared"/>: it is to run the guest; the source never will again.</summary>
    Commit = 8,

    /// <summary>Source to destination: the guest is being paused; a stream of what stands still already. <see cref="State"/> comes in a moment.</summary>
    Pausing = 9,

    /// <summary>Source to destination: a stream of the vCPUs' state as it was a moment ago; the guest runs on.</summary>
    Snapshot = 10,

    /// <summary>Destination to source: what lasts of the snapshot is set.</summary>
    Ready = 11,
}
