using Vmm.Core.Devices;
using Vmm.Core.Machine;
using Vmm.Core.State;
using Vmm.Core.Virtio;
using Vmm.Migration.Live;

namespace Vmm.Cli.Machines;

/// <summary>One device of the command line: what the guest sees, its registers, and what is behind it, which this owns.</summary>
/// <param name="options">How it was asked for, with an id.</param>
/// <param name="index">Which virtio-mmio slot it is in.</param>
/// <param name="transport">Its registers.</param>
internal abstract class MachineDevice(DeviceOptions options, int index, VirtioMmioTransport transport) : IDisposable
{
    /// <summary>The name in messages and commands: <c>net0</c>.</summary>
    public string Id => options.Id!;

    public int Index => index;

    public VirtioMmioSlot Slot => MachineLayout.GetVirtioMmioSlot(index);

    public VirtioMmioTransport Transport => transport;

    /// <summary>What is behind it, for people; null when nothing is.</summary>
    public abstract string? BackendDescription { get; }

    /// <summary>What is behind it, when it can move to another process as it is.</summary>
    public abstract ITransferableBackend? Transferable { get; }

    /// <summary>Why what is behind it can't move: null when it can.</summary>
    public string? TransferRefusal => Transferable is not null ? null
        : BackendDescription is { } backend ? $"{backend} can't be handed to another process"
        : "it has no back end";

    /// <summary>What migrates of the device itself; null when that is its transport's alone.</summary>
    public abstract IStateSection? CreateStateSection();

    /// <summary>All that migrates, in the order in which it is saved and applied.</summary>
    /// <param name="moves">What is behind it goes along.</param>
    // ORDER: a back end before its device, a device before its transport, which activates it.
    public IEnumerable<IStateSection> CreateStateSections(bool moves)
        => ((IStateSection?[])[moves ? Transferable!.CreateStateSection(Id) : null, CreateStateSection(), transport.CreateStateSection()]).OfType<IStateSection>();

    /// <summary>For the destination of a migration.</summary>
    /// <param name="moves">What is behind it goes along.</param>
    public abstract DeviceManifest Describe(bool moves);

    /// <summary>Its counters, as lines for people.</summary>
    public abstract IEnumerable<string> DescribeCounters();

    /// <summary>The guest goes on here, and what is behind it is ours.</summary>
    /// <param name="runs">It runs; otherwise it is paused, and what was given up stays so until <see cref="Reclaim"/>.</param>
    /// <param name="complain">Called, later perhaps and on any thread, when the source does not let go of it.</param>
    public virtual void Acquire(bool runs, Action<string> complain)
    {
        if (Transferable is { } backend)
        {
            backend.IsOwner = true;
        }
    }

    /// <summary>What was done is done: another process that opens what is behind it by its name finds it so. Of a device that stands still.</summary>
    /// <exception cref="IOException">The host could not do it.</exception>
    public virtual void Settle()
    {
    }

    /// <summary>The guest goes on elsewhere, on what it has opened there itself.</summary>
    public virtual void Yield()
    {
    }

    /// <summary>After <see cref="Yield"/>, here or in the process that it came from.</summary>
    public virtual bool IsGivenUp => false;

    /// <summary>It goes on here after <see cref="Yield"/>. Null, or why it can't.</summary>
    public virtual string? Reclaim() => null;

    public abstract void Dispose();
}
