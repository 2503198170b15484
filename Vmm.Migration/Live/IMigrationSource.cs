using Vmm.Core.State;

namespace Vmm.Migration.Live;

/// <summary>A running machine, as a migration sees it.</summary>
public interface IMigrationSource
{
    Manifest Manifest { get; }

    /// <summary>What the destination builds the machine around: RAM, and the back ends that go with it. Written while the guest runs.</summary>
    IReadOnlyList<IStateSection> Resources { get; }

    /// <summary>What it sets afterwards. Written while the guest is paused.</summary>
    IReadOnlyList<IStateSection> State { get; }

    /// <summary>All that can be done for the pause while the guest still runs; <see cref="Pause"/> or <see cref="Resume"/> follows.</summary>
    void PreparePause();

    /// <summary>Stops the vCPUs at a clean point and every queue where it is; nothing is read from the back ends any more.</summary>
    void Pause();

    /// <summary>The state has gone out; what comes now takes its time from the destination.</summary>
    void StandBack()
    {
    }

    /// <summary>Goes on after <see cref="Pause"/>, as if nothing had been.</summary>
    void Resume();
}
