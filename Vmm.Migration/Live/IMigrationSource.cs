using Vmm.Core.State;

namespace Vmm.Migration.Live;

/// <summary>A running machine, as a migration sees it.</summary>
public interface IMigrationSource
{
    Manifest Manifest { get; }

    /// <summary>What the destination builds the machine around: RAM, and the back ends that go with it. Written while the guest runs.</summary>
    /// <remarks>Asked for once, when the destination has accepted; <see cref="EndSending"/> follows, and <see cref="Keep"/> when anything fails.</remarks>
    IReadOnlyList<IStateSection> Resources { get; }

    /// <summary>The resources are out, and in the destination's hands as long as anything refers to them there.</summary>
    void EndSending()
    {
    }

    /// <summary>The destination does not get the machine. Called before <see cref="Resume"/>, or while the guest still runs.</summary>
    void Keep()
    {
    }

    /// <summary>What of the state lasts, as of <see cref="TakeSnapshot"/>; the destination sets it ahead. Written while the guest runs.</summary>
    IReadOnlyList<IStateSection> Snapshot => [];

    /// <summary>What it sets afterwards. Written while the guest is paused.</summary>
    IReadOnlyList<IStateSection> State { get; }

    /// <summary>Looks at the vCPUs; the guest goes on.</summary>
    void TakeSnapshot()
    {
    }

    /// <summary>
    /// All that can be done for the pause while the guest still runs; <see cref="Pause"/> or <see cref="Resume"/> follows. Every queue stops where it
    /// is; nothing is read from the back ends any more.
    /// </summary>
    void PreparePause();

    /// <summary>Stops the vCPUs at a clean point.</summary>
    /// <param name="then">Called once when they stand still, on whatever thread is the first to know, before this returns; does not throw.</param>
    void Pause(Action then);

    /// <summary>The state has gone out; what the thread that called <see cref="PreparePause"/> does from now on has time.</summary>
    void StandBack()
    {
    }

    /// <summary>Goes on after <see cref="Pause"/>, as if nothing had been.</summary>
    void Resume();
}
