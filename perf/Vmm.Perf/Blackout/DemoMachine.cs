using Microsoft.Extensions.Logging.Abstractions;
using Vmm.Core.Bus;
using Vmm.Core.Hypervisor;
using Vmm.Core.Machine;
using Vmm.Core.Machine.Boot;
using Vmm.Core.Memory;
using Vmm.Core.State;
using Vmm.DemoGuest;
using Vmm.Kvm;

namespace Vmm.Perf.Blackout;

/// <summary>A machine for the demo guest, polling and without devices but for a serial port that swallows everything.</summary>
internal sealed class DemoMachine : IDisposable, IBusDevice
{
    private const ulong LineStatus = 5;
    private const byte TransmitterEmpty = 0x60;

    private readonly MachineLifetime _lifetime = new();

    public DemoMachine(GuestMemory memory)
    {
        Memory = memory;
        AddressBus ports = new("ports");
        ports.Add(MachineLayout.SerialPort, MachineLayout.SerialPortCount, this);
        Vm = new KvmVirtualMachine(new VirtualMachineConfig(ports, new AddressBus("mmio"), _lifetime, NullLogger.Instance), new KvmOptions());
        Vm.MapMemory(memory);
    }

    public GuestMemory Memory { get; }

    public KvmVirtualMachine Vm { get; }

    public IReadOnlyList<IStateSection> Sections { get; private set; } = [];

    /// <summary>Times round the guest's main loop.</summary>
    public ulong Iterations => Memory.TryRead(new GuestAddress(Variables.Iterations), out ulong value) ? value : 0;

    /// <summary>The longest time, in ticks, that the guest has seen pass between two iterations.</summary>
    public ulong LongestGap
    {
        get => Memory.TryRead(new GuestAddress(Variables.LongestGap), out ulong value) ? value : 0;
        set => _ = Memory.TryWrite(new GuestAddress(Variables.LongestGap), value);
    }

    /// <summary>The frequency of the guest's counter in kHz.</summary>
    public double TicksPerMillisecond { get; private set; }

    public bool HasEnded => _lifetime.HasEnded;

    /// <summary>Boots the guest and returns when it has settled.</summary>
    public void Start(int cpuCount)
    {
        CpuEntry entry = BootLoader.Load(Memory, new BootConfig(BootImage.FromBytes("demo", DemoGuestImage.Build()), null, "poll", []));
        Vm.Start(cpuCount, entry);
        if (!SpinWait.SpinUntil(() => Iterations > 10_000 || HasEnded, TimeSpan.FromSeconds(30)) || HasEnded)
        {
            throw new InvalidOperationException($"The demo guest does not run: {(HasEnded ? _lifetime.Completion.Result : "it has not come to its main loop")}");
        }

        Sections = Vm.CreateStateSections();
    }

    /// <summary>Makes the machine ready to take the guest over.</summary>
    public void Prepare(int cpuCount)
    {
        Vm.CreateCpus(cpuCount);
        TicksPerMillisecond = Vm.Vcpus[0].TscKilohertz;
        Sections = Vm.CreateStateSections();
    }

    public void Read(ulong offset, Span<byte> data) => data.Fill(offset == LineStatus ? TransmitterEmpty : (byte)0);

    public void Write(ulong offset, ReadOnlySpan<byte> data)
    {
    }

    public void Dispose() => Vm.Dispose();
}
