using Vmm.Core.Linux;
using Vmm.Core.Network;

namespace Vmm.Backends.Tap;

// vhost in another process: a vhost descriptor works for the memory of one process only, so the TAP moves and vhost begins anew on it.
public sealed partial class TapBackend
{
    private VhostDescriptor[] _successors = [];

    /// <inheritdoc/>
    /// <remarks>
    /// SPEC: from Linux 6.4 on vhost's thread is one of the process that owns it, which has not ended before the thread has. Where that is only when
    /// the last descriptor is closed, a process that is killed would stay for as long as we have one.
    /// </remarks>
    public void EndSending() => DisposeSuccessors();

    /// <inheritdoc/>
    public void Keep()
    {
        DisposeSuccessors(); // which may not have gone out
        GiveAway(false);
    }

    /// <summary>What the other process lets the kernel run its rings with.</summary>
    /// <remarks>
    /// Fresh descriptors are the fast way: the other process owns them, has the kernel's thread started and the table of RAM set, before the
    /// pause. Without the right to open them it gets ours; the thread has to end and to start within the pause then.
    /// </remarks>
    private VhostResources CreateVhostResources()
    {
        if (!UsesVhost)
        {
            return default;
        }

        DisposeSuccessors();
        bool opened = TryOpenSuccessors();
        GiveAway(!opened);
        return new VhostResources { InUse = !opened, Queues = opened ? [.. _successors] : [.. _queues.Select(queue => queue.Vhost!.Descriptor)] };
    }

    private bool TryOpenSuccessors()
    {
        try
        {
            _successors = OpenVhost(QueueCount);
            return true;
        }
        catch (LinuxException)
        {
            // This process was given its own by somebody who may.
            return false;
        }
    }

    private void DisposeSuccessors()
    {
        DisposeAll(_successors);
        _successors = [];
    }

    private void GiveAway(bool given)
    {
        foreach (TapQueue queue in _queues)
        {
            if (queue.Vhost is { } vhost)
            {
                vhost.IsGivenAway = given;
            }
        }
    }

    /// <summary>Goes on with what came, which belongs to the back end when this returns.</summary>
    /// <exception cref="NetworkBackendException">A descriptor is not what the others say.</exception>
    private void UseVhost(in VhostResources resources)
    {
        if (resources.Queues is not { Length: > 0 } queues)
        {
            return;
        }

        if (queues.Length != QueueCount)
        {
            throw new NetworkBackendException($"{queues.Length} vhost descriptors came for {QueueCount} queues of {InterfaceName}.");
        }

        With(AdoptVhost([.. queues.Select(queue => queue!.Number)]), areInUse: resources.InUse);
        foreach (FileDescriptor? queue in queues)
        {
            queue!.SetHandleAsInvalid();
        }
    }
}
