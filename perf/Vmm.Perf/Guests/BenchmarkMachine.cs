using Iced.Intel;
using Microsoft.Extensions.Logging.Abstractions;
using Vmm.Core.Bus;
using Vmm.Core.Hypervisor;
using Vmm.Core.Machine;
using Vmm.Core.Memory;
using Vmm.Kvm;

namespace Vmm.Perf.Guests;

/// <summary>A machine of RAM, one vCPU, two buses and a program.</summary>
internal sealed class BenchmarkMachine : IDisposable
{
    private readonly MachineLifetime _lifetime = new();

    public BenchmarkMachine()
    {
        Memory = GuestMemory.Create(new GuestMemoryOptions(4 << 20, Populate: true));
        Vm = new KvmVirtualMachine(new VirtualMachineConfig(Ports, Mmio, _lifetime, NullLogger.Instance), new KvmOptions());
        Vm.MapMemory(Memory);
    }

    public AddressBus Ports { get; } = new("ports");

    public AddressBus Mmio { get; } = new("mmio");

    public GuestMemory Memory { get; }

    public KvmVirtualMachine Vm { get; }

    /// <summary>Starts the guest and waits until it has come to <paramref name="gate"/>.</summary>
    public void Start(Action<Assembler> program, ExitGate gate)
    {
        ExitGuest.Load(Memory, program);
        Vm.Start(1, ExitGuest.Entry);
        if (!gate.WaitForGuest())
        {
            throw new InvalidOperationException($"The guest did not come: {(_lifetime.HasEnded ? _lifetime.Completion.Result : "it still runs")}");
        }
    }

    public void Dispose()
    {
        Vm.Dispose();
        Memory.Dispose();
    }
}
