using Vmm.Core.State;

namespace Vmm.Core.Devices;

/// <summary>A back end that another process on the same host can go on with, as it is.</summary>
public interface ITransferableBackend
{
    /// <summary>
    /// Whether the host's object is this process's to change. Another process's guest may be using it: until that has stopped, and after it
    /// was handed over, settings are only remembered.
    /// </summary>
    bool IsOwner { get; set; }

    /// <summary>What the other process needs to make its own object of it, with the open descriptors; they stay owned by this.</summary>
    /// <param name="id">The device's.</param>
    IStateSection CreateResourceSection(string id);

    /// <summary>What can change while the guest runs; null when nothing can.</summary>
    /// <param name="id">The device's.</param>
    IStateSection? CreateStateSection(string id);

    /// <summary>The other process has been sent what <see cref="CreateResourceSection"/> made: what was opened for it alone is let go of here.</summary>
    void EndSending()
    {
    }

    /// <summary>After all, the other process does not go on with it.</summary>
    void Keep()
    {
    }
}
