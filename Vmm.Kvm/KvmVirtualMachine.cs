using System.Diagnostics;
using Vmm.Core.Hypervisor;
using Vmm.Core.Memory;
using Vmm.Kvm.Cpu;
using Vmm.Kvm.Native;
using Vmm.Kvm.Probe;
using Vmm.Kvm.Report;
using Vmm.Kvm.Run;

namespace Vmm.Kvm;

/// <summary>A virtual machine on /dev/kvm with in-kernel LAPICs, IOAPIC and PIC.</summary>
public sealed partial class KvmVirtualMachine : IVirtualMachine
{
    private const uint PinCount = KvmConstants.KVM_IOAPIC_NUM_PINS;

    /// <summary>No watchdog of a guest is as impatient as this.</summary>
    private static readonly TimeSpan s_unnoticed = TimeSpan.FromMilliseconds(100);

    // Fixed configuration
    private readonly VirtualMachineConfig _config;
    private readonly KvmKind _kind;

    // Runtime glue
    private readonly Kvm _kvm;
    private readonly KvmVm _vm;
    private readonly KvmInterruptRoutes _routes;
    private readonly KvmInterruptLine?[] _lines = new KvmInterruptLine?[PinCount];
    private GuestMemory? _memory;
    private KvmVcpu[] _vcpus = [];
    private VcpuGroup? _group;
    private long _stoppedAt;
    private bool _linesUnknown;
    private bool _hasRun;
    private bool _disposed;

    /// <summary>Opens KVM and creates an empty virtual machine.</summary>
    /// <exception cref="Core.Linux.LinuxException">/dev/kvm is missing or closed to this user, or KVM refused; the message says what to do.</exception>
    /// <exception cref="NotSupportedException">KVM lacks a required capability; the message names it.</exception>
    public KvmVirtualMachine(VirtualMachineConfig config, KvmOptions options)
    {
        _config = config;
        _kind = KvmKindDetector.Detect();
        _kvm = Kvm.Open(options.DevicePath);
        try
        {
            _kvm.CheckRequired();
            _vm = new KvmVm(_kvm);
            _vm.CreateInterruptControllers(options.Pit);
            _routes = new KvmInterruptRoutes(_vm);
        }
        catch
        {
            _vm?.Dispose();
            _kvm.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public string Description => _kind switch
    {
        KvmKind.Vmx => "KVM on Intel VT-x",
        KvmKind.Svm => "KVM on AMD SVM",
        _ => "KVM, software-nested",
    };

    /// <inheritdoc/>
    public string? Limitation => _kind == KvmKind.SoftwareNested ? KvmKindDetector.SoftwareNestedLimitation : null;

    internal KvmVm Vm => _vm;

    internal IReadOnlyList<KvmVcpu> Vcpus => _vcpus;

    /// <summary>The most vCPUs that a machine can have on this host.</summary>
    public int MaxCpuCount => _vm.MaxCpuCount;

    /// <inheritdoc/>
    public bool IsPaused => _group?.IsPaused ?? false;

    /// <inheritdoc/>
    public void MapMemory(GuestMemory memory)
    {
        if (_memory is not null)
        {
            throw new InvalidOperationException("This machine has its RAM already.");
        }

        for (int slot = 0; slot < memory.Regions.Count; slot++)
        {
            _vm.SetMemorySlot((uint)slot, memory.Regions[slot]);
        }

        _memory = memory;
    }

    /// <inheritdoc/>
    /// <remarks>The first stands at its reset vector, the others wait for INIT and SIPI.</remarks>
    public void CreateCpus(int cpuCount)
    {
        if (_group is not null)
        {
            throw new InvalidOperationException("This machine has its vCPUs already.");
        }

        if (cpuCount < 1 || cpuCount > MaxCpuCount)
        {
            throw new ArgumentOutOfRangeException(nameof(cpuCount), $"A machine on this host can have 1 to {MaxCpuCount} vCPUs, not {cpuCount}.");
        }

        _vm.AllowLargeApicIds(cpuCount);
        kvm_cpuid_entry2[] supported = CpuidSource(out bool tscDeadline);
        _vcpus = new KvmVcpu[cpuCount];
        for (int i = 0; i < cpuCount; i++)
        {
            _vcpus[i] = new KvmVcpu(_vm, i);
            _vcpus[i].SetCpuid(CpuidTable.ForCpu(supported, (uint)i, (uint)cpuCount, tscDeadline));
        }

        _stoppedAt = Stopwatch.GetTimestamp();
        _vm.StateTraits = _vcpus[0].ProbeState();
        var reporter = new CrashReporter(() => _memory, Limitation);
        var group = new VcpuGroup(cpuCount, (i, owner) => new VcpuThread(_vcpus[i], owner, _config, reporter));
        _group = group;
        group.Start();

        // Whoever ends the machine, on whatever thread: all vCPUs come out of the guest.
        _ = _config.Lifetime.Completion.ContinueWith(_ => group.RequestStop(), TaskScheduler.Default);
    }

    /// <inheritdoc/>
    public void Start(int cpuCount, CpuEntry entry)
    {
        CreateCpus(cpuCount);
        Array.ForEach(_vcpus, EntryMsrs.Apply);
        EntryState.Apply(_vcpus[0], entry);
        Resume();
    }

    /// <inheritdoc/>
    public void Pause(Action? then = null)
    {
        if (_group is { IsPaused: false } group)
        {
            _stoppedAt = Stopwatch.GetTimestamp();
            group.Pause(then);
        }
        else
        {
            then?.Invoke();
        }
    }

    /// <inheritdoc/>
    public void Resume()
    {
        if (_group is { IsPaused: true } group)
        {
            bool notify = Stopwatch.GetElapsedTime(_stoppedAt) > s_unnoticed;
            foreach (KvmVcpu vcpu in _vcpus)
            {
                if (notify)
                {
                    vcpu.NotifyPaused();
                }

                vcpu.ForgetState();
            }

            _hasRun = true;
            group.Departure?.Outdate();
            group.Resume();
        }
    }

    /// <inheritdoc/>
    public void SetUrgent(bool urgent) => _group?.SetUrgent(urgent);

    /// <summary>The paused vCPUs will be resumed in a moment: they wait for that without sleeping, for half a millisecond.</summary>
    public void Alert() => _group?.Alert();

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _group?.Dispose();
        _disposed = true;
        foreach (KvmVcpu? vcpu in _vcpus)
        {
            vcpu?.Dispose();
        }

        _vm.Dispose();
        _kvm.Dispose();
    }
}
