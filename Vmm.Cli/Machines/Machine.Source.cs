using Vmm.Core.Memory;
using Vmm.Core.State;
using Vmm.Migration.Live;

namespace Vmm.Cli.Machines;

// Leaving for another process.
internal sealed partial class Machine
{
    /// <summary>The resource section of RAM.</summary>
    public const string MemoryName = "memory";

    /// <summary>As the command line, or the process before, has made it.</summary>
    public MachineOptions Options => _options;

    public GuestMemory Memory => _memory!;

    public MemoryManifest MemoryManifest => new(_memory!.Size, _memory.HugePages);

    public CpuManifest CpuManifest => new(CpuCount, _hypervisor!.GetCpuid(), TscKilohertz: 0);

    /// <summary>What another process builds the machine around.</summary>
    /// <param name="moving">The ids of the devices whose back ends go along.</param>
    public IReadOnlyList<IStateSection> CreateResources(IReadOnlySet<string> moving) =>
    [
        new ResourceSection<GuestMemoryState>(MemoryName, new GuestMemoryState { Size = _memory!.Size, HugePages = _memory.HugePages, File = _memory.File }),
        .. _devices.Where(device => moving.Contains(device.Id)).Select(device => device.Transferable!.CreateResourceSection(device.Id)),
    ];

    /// <summary>These are out.</summary>
    /// <param name="moving">The ids of the devices whose back ends go along.</param>
    public void EndSending(IReadOnlySet<string> moving)
    {
        foreach (MachineDevice device in _devices.Where(device => moving.Contains(device.Id)))
        {
            device.Transferable!.EndSending();
        }
    }

    /// <summary>Nobody goes on with them but this process.</summary>
    /// <param name="moving">The ids of the devices whose back ends were to go along.</param>
    public void KeepBackends(IReadOnlySet<string> moving)
    {
        foreach (MachineDevice device in _devices.Where(device => moving.Contains(device.Id)))
        {
            device.Transferable!.Keep();
        }
    }

    /// <summary>What is typed from now on waits.</summary>
    public void SuspendConsole() => _console!.Suspend();

    public void ResumeConsole() => _console!.Resume();

    /// <summary>Before the guest goes on with what others have opened: what is behind these devices is as the guest has left it.</summary>
    /// <param name="moving">The ids of the devices whose back ends go along.</param>
    /// <exception cref="IOException">The host could not do it.</exception>
    public void Settle(IReadOnlySet<string> moving)
    {
        foreach (MachineDevice device in _devices.Where(device => !moving.Contains(device.Id)))
        {
            device.Settle();
        }
    }

    /// <summary>The guest is another process's, and so are the back ends that moved.</summary>
    /// <param name="moved">The ids of their devices.</param>
    /// <param name="whole">So is the console.</param>
    public void Release(IReadOnlySet<string> moved, bool whole)
    {
        CompleteHandOver();
        if (whole)
        {
            _console!.Abandon();
        }

        foreach (MachineDevice device in _devices)
        {
            if (!moved.Contains(device.Id))
            {
                device.Yield();
            }
            else if (device.Transferable is { } backend)
            {
                backend.IsOwner = false;
            }
        }
    }
}
