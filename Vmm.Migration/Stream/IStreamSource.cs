using Vmm.Core.Memory;
using Vmm.Core.State;
using Vmm.Migration.Live;

namespace Vmm.Migration.Stream;

/// <summary>A machine whose RAM goes through a channel as bytes. It is paused all the while.</summary>
public interface IStreamSource
{
    /// <summary>No device's back end moves.</summary>
    Manifest Manifest { get; }

    GuestMemory Memory { get; }

    /// <summary>Written while the guest is paused.</summary>
    IReadOnlyList<IStateSection> State { get; }

    /// <summary>Stops the vCPUs at a clean point and every queue where it is. Nothing happens when it is paused already.</summary>
    void Pause();

    /// <summary>Goes on after <see cref="Pause"/>, as if nothing had been; one that was paused before stays so.</summary>
    void Resume();
}
