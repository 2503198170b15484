using BenchmarkDotNet.Attributes;
using Iced.Intel;
using Vmm.Perf.Budgets;
using Vmm.Perf.Guests;

namespace Vmm.Perf.Benchmarks;

/// <summary>
/// From one exit of the guest to the next: run loop, bus, device, and two guest instructions. The bare rows are the same guest entered by
/// ioctl(KVM_RUN) alone, which nobody can beat.
/// </summary>
[Requires("/dev/kvm")]
public class ExitBenchmarks
{
    private const int Exits = 1000;

    private ExitGate? _gate;
    private BenchmarkMachine? _machine;
    private BareVcpu? _bare;

    [GlobalSetup(Target = nameof(PortBare))]
    public void SetUpPortBare() => _bare = new BareVcpu(ExitGuest.PortLoop);

    [GlobalSetup(Target = nameof(MmioBare))]
    public void SetUpMmioBare() => _bare = new BareVcpu(ExitGuest.MmioLoop);

    [GlobalSetup(Target = nameof(Port))]
    public void SetUpPort() => SetUp(ExitGuest.PortLoop);

    [GlobalSetup(Target = nameof(Mmio))]
    public void SetUpMmio() => SetUp(ExitGuest.MmioLoop);

    [GlobalCleanup]
    public void CleanUp()
    {
        _bare?.Dispose();
        _gate?.Release();
        _machine?.Dispose();
        _gate?.Dispose();
    }

    [Benchmark(OperationsPerInvoke = Exits)]
    public void PortBare() => _bare!.Run(Exits);

    [Benchmark(OperationsPerInvoke = Exits)]
    public void Port() => _gate!.Pass(Exits);

    [Benchmark(OperationsPerInvoke = Exits)]
    public void MmioBare() => _bare!.Run(Exits);

    [Benchmark(OperationsPerInvoke = Exits)]
    public void Mmio() => _gate!.Pass(Exits);

    private void SetUp(Action<Assembler> program)
    {
        _gate = new ExitGate();
        _machine = new BenchmarkMachine();
        _machine.Ports.Add(ExitGuest.Port, 1, _gate);
        _machine.Mmio.Add(ExitGuest.MmioAddress, 8, _gate);
        _machine.Start(program, _gate);
    }
}
