using Vmm.Core.State;

namespace Vmm.Migration.Live;

/// <summary>A machine that is to be, as a migration sees it. The members are called in this order.</summary>
public interface IMigrationDestination
{
    /// <summary>Everything that stands against taking this machine over, or nothing.</summary>
    /// <param name="manifest">What the source says of it.</param>
    /// <param name="carriesDescriptors">Whether open files come through the channel.</param>
    Verdict Examine(Manifest manifest, bool carriesDescriptors);

    /// <summary>What the source will send first; <see cref="Prepare"/> finds it loaded.</summary>
    IReadOnlyList<IStateSection> Resources { get; }

    /// <summary>Builds the whole machine and does everything that takes time.</summary>
    void Prepare();

    /// <summary>What the source will send next, while the guest still runs there; applied at once.</summary>
    IReadOnlyList<IStateSection> Snapshot => [];

    /// <summary>What the source will send when the guest is paused.</summary>
    IReadOnlyList<IStateSection> State { get; }

    /// <summary>The guest is being paused; its state comes in a tenth of a millisecond.</summary>
    void Expect()
    {
    }

    /// <summary>The state has come, and will be loaded and applied now.</summary>
    void Alert()
    {
    }

    /// <summary>Runs the guest. From here on nothing may fail.</summary>
    void Run();

    /// <summary>The guest runs, and so says the source's peer: what could wait until now.</summary>
    void Settle();

    /// <summary>The source has heard of it.</summary>
    void Relax()
    {
    }
}
