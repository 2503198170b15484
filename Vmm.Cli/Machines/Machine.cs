using Microsoft.Extensions.Logging;
using Vmm.Core.Consoles;
using Vmm.Core.Devices.Power;
using Vmm.Core.Devices.Uart;
using Vmm.Core.Events;
using Vmm.Core.Hypervisor;
using Vmm.Core.Machine;
using Vmm.Core.Memory;
using Vmm.Kvm;

namespace Vmm.Cli.Machines;

/// <summary>A whole machine; <see cref="Build"/> is the one place where its parts meet.</summary>
/// <remarks>Life: build, <see cref="Start"/>, wait for <see cref="Lifetime"/>, dispose. After dispose no thread and no descriptor of it is left.</remarks>
internal sealed partial class Machine : IDisposable
{
    private readonly MachineOptions _options;
    private readonly ILogger _log;
    private readonly List<MachineDevice> _devices = [];
    private readonly Dictionary<int, IDisposable> _adopted = []; // by the device's index, until the device owns it
    private GuestMemory? _memory;
    private KvmVirtualMachine? _hypervisor;
    private EventLoop? _loop; // what needs no thread of its own
    private IConsole? _console;
    private UartDevice? _uart;
    private PowerDevice? _power;
    private CpuEntry? _entry;
    private bool _consoleComes;
    private bool _arrives; // from another process
    private bool _disposed;

    private Machine(MachineOptions options, MachineLifetime lifetime, ILogger log)
    {
        _options = options;
        Name = options.Name ?? Qmp.ControlSocket.DefaultName;
        Lifetime = lifetime;
        _log = log;
    }

    public string Name { get; set; }

    public MachineLifetime Lifetime { get; }

    /// <summary>What this process does when the guest has gone on in another one; null while it is here.</summary>
    public Departure? Departure { get; set; }

    /// <summary>Those of the command line, by their slots.</summary>
    public IReadOnlyList<MachineDevice> Devices => _devices;

    public IEnumerable<NetworkCard> Cards => _devices.OfType<NetworkCard>();

    public string HypervisorDescription => _hypervisor!.Description;

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;

        // ORDER: I/O threads leave the rings, vCPUs leave the guest, devices end before their back ends, and RAM goes last.
        StopQueues();
        _hypervisor?.Dispose();
        foreach (MachineDevice device in _devices)
        {
            device.Dispose();
        }

        foreach (IDisposable backend in _adopted.Values)
        {
            backend.Dispose();
        }

        _console?.Flush(TimeSpan.FromSeconds(1));
        _console?.Dispose();
        _loop?.Dispose();
        _memory?.Dispose();
    }
}
