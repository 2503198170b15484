using BenchmarkDotNet.Attributes;
using Vmm.Core.Events;
using Vmm.Core.Interrupts;
using Vmm.Core.Memory;
using Vmm.Perf.Budgets;
using Vmm.Perf.Guests;

namespace Vmm.Perf.Benchmarks;

/// <summary>
/// Doorbell to interrupt and back: the guest writes to the doorbell and halts; the host raises a level-triggered line; the guest's handler
/// acknowledges by an MMIO write, which lowers the line, and ends the interrupt; the guest rings again. About a dozen guest instructions are in it.
/// </summary>
[Requires("/dev/kvm")]
public class DoorbellBenchmarks
{
    private const int Rings = 200;

    private BenchmarkMachine _machine = null!;
    private ExitGate _gate = null!;
    private IInterruptLine _line = null!;
    private EventFd? _doorbell;
    private EventLoop? _loop;

    [GlobalSetup(Target = nameof(EventLoopThread))]
    public void SetUpEventLoopThread()
    {
        SetUp();
        _doorbell = new EventFd();
        _loop = new EventLoop("doorbell");
        _loop.Add(_doorbell, ReadyEvents.In | ReadyEvents.EdgeTriggered, new Raise(_line));
        _machine.Vm.AttachDoorbell(new GuestAddress(ExitGuest.DoorbellAddress), 0, _doorbell);
        Start();
    }

    [GlobalSetup(Target = nameof(VcpuThread))]
    public void SetUpVcpuThread()
    {
        SetUp();
        Start();
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        _gate.Release();
        _machine.Dispose();
        _loop?.Dispose();
        _doorbell?.Dispose();
        _gate.Dispose();
    }

    /// <summary>ioeventfd, epoll on an I/O thread, KVM_IRQ_LINE: how the devices do it.</summary>
    [Benchmark(OperationsPerInvoke = Rings)]
    public void EventLoopThread() => _gate.Pass(Rings);

    /// <summary>The doorbell as an exit that the vCPU's thread answers itself: no wake-up, but the guest waits meanwhile.</summary>
    [Benchmark(OperationsPerInvoke = Rings)]
    public void VcpuThread() => _gate.Pass(2 * Rings);

    private void SetUp()
    {
        _machine = new BenchmarkMachine();
        _line = _machine.Vm.GetInterruptLine(new Gsi(ExitGuest.Pin));
        _gate = new ExitGate { Written = offset => _line.SetLevel(offset == ExitGuest.DoorbellAddress - ExitGuest.MmioAddress) };
        _machine.Mmio.Add(ExitGuest.MmioAddress, 8, _gate);
    }

    private void Start() => _machine.Start(ExitGuest.DoorbellLoop, _gate);

    private sealed class Raise(IInterruptLine line) : IEventHandler
    {
        public void OnReady(ReadyEvents events) => line.SetLevel(true);
    }
}
