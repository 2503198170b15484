using Microsoft.Extensions.Logging;
using Vmm.Backends.Tap;
using Vmm.Core.Bus;
using Vmm.Core.Consoles;
using Vmm.Core.Devices.DebugExit;
using Vmm.Core.Devices.I8042;
using Vmm.Core.Devices.Panic;
using Vmm.Core.Devices.Power;
using Vmm.Core.Devices.Uart;
using Vmm.Core.Events;
using Vmm.Core.Hypervisor;
using Vmm.Core.Linux;
using Vmm.Core.Machine;
using Vmm.Core.Machine.Boot;
using Vmm.Core.Memory;
using Vmm.DemoGuest;
using Vmm.Kvm;
using static Vmm.Core.Machine.MachineLayout;

namespace Vmm.Cli.Machines;

internal sealed partial class Machine
{
    /// <summary>Takes what the options ask for from the host and puts it together. The guest does not run yet.</summary>
    /// <param name="options">What the user asked for.</param>
    /// <param name="lifetime">Where the machine's end will be announced.</param>
    /// <param name="log">For warnings and what the devices have to say.</param>
    /// <param name="console">Takes the place of the console that the options name; the machine owns it.</param>
    /// <param name="beforeTraces">
    /// Called before the first thing is made that a killed process would leave behind (a socket's file, a raw terminal). What takes long,
    /// files and RAM, is done by then, so up to there a signal may end the process at once.
    /// </param>
    /// <exception cref="UserErrorException">The options do not fit each other or this host.</exception>
    /// <exception cref="IOException">A file can't be booted, or the host refused something; the message says what to do.</exception>
    public static Machine Build(MachineOptions options, MachineLifetime lifetime, ILogger log, IConsole? console = null, Action<Machine>? beforeTraces = null)
    {
        Machine machine = new(options, lifetime, log) { _console = console };
        try
        {
            machine.LoadGuest(options);
            machine.Assemble(options, beforeTraces);
            machine._console!.Start(machine._uart!);
            machine.Announce(options);
            return machine;
        }
        catch
        {
            machine.Dispose();
            throw;
        }
    }

    private void LoadGuest(MachineOptions options)
    {
        // ORDER: before anything is opened, which would take the numbers of descriptors that were not passed on.
        Adopt(options);

        // Then files: nothing is taken from the host for a kernel that is not there.
        using BootImage kernel = options.Kernel == MachineOptions.DemoKernel
            ? BootImage.FromBytes(options.Kernel, DemoGuestImage.Build())
            : BootImage.OpenFile(options.Kernel);
        using BootImage? initrd = options.Initrd is null ? null : BootImage.OpenFile(options.Initrd);

        _memory = GuestMemory.Create(new GuestMemoryOptions(options.Memory, options.HugePages, options.Populate));
        BootConfig boot = new(kernel, initrd, options.CommandLine, options.Slots)
        {
            CpuCount = options.CpuCount,
            AnnounceDevices = options.AnnounceDevices,
        };
        _entry = BootLoader.Load(_memory, boot);
    }

    /// <summary>Puts everything around <see cref="_memory"/>.</summary>
    private void Assemble(MachineOptions options, Action<Machine>? beforeTraces)
    {
        AddressBus ports = new("port I/O");
        AddressBus mmio = new("MMIO");
        KvmVirtualMachine hypervisor = new(new VirtualMachineConfig(ports, mmio, Lifetime, _log), new KvmOptions());
        _hypervisor = hypervisor;
        hypervisor.MapMemory(_memory!);
        if (options.CpuCount > hypervisor.MaxCpuCount)
        {
            throw new UserErrorException($"--cpus {options.CpuCount} is more than KVM on this host allows; choose at most {hypervisor.MaxCpuCount}.");
        }

        if (options.CpuCount > MaxInterruptedCpus && !_arrives)
        {
            _log.LogWarning("--cpus {Count}: KVM's IOAPIC reaches the first {Reached} vCPUs only, so Linux uses no more", options.CpuCount, MaxInterruptedCpus);
        }

        beforeTraces?.Invoke(this);
        if (_console is null)
        {
            _loop = new EventLoop("console");
            _console = _consoleComes
                ? ConsoleFactory.Expect(options.Console, _loop, Lifetime)
                : ConsoleFactory.Open(options.Console, _loop, Lifetime);
        }

        _uart = new UartDevice(_console, hypervisor.GetInterruptLine(SerialGsi));
        I8042Device keyboard = new(Lifetime);
        ports.Add(SerialPort, SerialPortCount, _uart);
        ports.Add(KeyboardDataPort, 1, keyboard.DataPort);
        ports.Add(KeyboardCommandPort, 1, keyboard.CommandPort);
        ports.Add(DebugExitPort, DebugExitPortCount, new DebugExitDevice(Lifetime));
        ports.Add(PanicPort, 1, new PanicDevice(Lifetime));
        _power = new PowerDevice(Lifetime, hypervisor.GetInterruptLine(EventGsi));
        mmio.Add(EventRegister, EventRegisterSize, _power.EventRegister);
        mmio.Add(PowerRegisters, PowerRegistersSize, _power.Registers);

        for (int i = 0; i < options.Devices.Count; i++)
        {
            MachineDevice device = AddDevice(hypervisor, i);
            mmio.Add(device.Slot.Address.Value, device.Slot.Size, device.Transport);
            device.Transport.AttachDoorbells(hypervisor, device.Slot.Address);
        }
    }

    private void Announce(MachineOptions options)
    {
        if (_hypervisor!.Limitation is { } limitation)
        {
            // The demo guest is made for it; others may be in for a surprise.
            _log.Log(options.Kernel == MachineOptions.DemoKernel ? LogLevel.Information : LogLevel.Warning, "{Limitation}", limitation);
        }

        if (_console is { } console && options.Console.Kind is ConsoleKind.Pty)
        {
            StandardError.WriteLine($"vmm: {Name}: console on {console.Description}");
        }

        _log.LogInformation("{Name}: {Kernel} begins at its {Entry}", Name, options.Kernel, _entry!.Description);
        foreach (MachineDevice device in _devices)
        {
            if (device is NetworkCard { Backend: TapBackend { IsUp: false } tap })
            {
                _log.LogWarning("{Name}: {Id}: the interface {Interface} is down, so no frame passes: sudo ip link set {Interface} up", Name, device.Id, tap.InterfaceName, tap.InterfaceName);
            }

            if (device is Disk { Image.Warning: { } warning })
            {
                _log.LogWarning("{Name}: {Id}: {Warning}", Name, device.Id, warning);
            }

            string backend = device.BackendDescription is { } description ? $" on {description}" : "";
            _log.LogInformation("{Name}: {Id}{Backend}, registers at {Address}, {Gsi}", Name, device.Id, backend, device.Slot.Address, device.Slot.Gsi);
        }
    }
}
