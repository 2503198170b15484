using Vmm.Core.Devices.Uart;
using Vmm.Core.Memory;
using Vmm.Core.State;
using Vmm.Kvm.State;
using Vmm.Migration.Live;
using Vmm.Migration.Stream;
using Vmm.Migration.Tests.Conformance;

namespace Vmm.Migration.Tests.Stream;

/// <summary>Both ends of a stream with RAM: real memory, two sections, no guest.</summary>
internal sealed class StreamMachine : IStreamSource, IStreamDestination, IDisposable
{
    private readonly FixedSection<UartState> _serial;
    private readonly FixedSection<KvmVmState> _kvm;
    private GuestMemory? _memory;

    private StreamMachine(GuestMemory? memory, bool filled)
    {
        _memory = memory;
        _serial = new FixedSection<UartState>("serial", filled ? DescribedType.Filled<UartState>() : default);
        _kvm = new FixedSection<KvmVmState>("kvm", filled ? DescribedType.Filled<KvmVmState>() : default);
    }

    public int Pauses { get; private set; }

    public int Resumes { get; private set; }

    public int Runs { get; private set; }

    public IReadOnlyList<string> Reasons { get; init; } = [];

    /// <summary>What <see cref="Prepare"/> throws.</summary>
    public Exception? PrepareFailure { get; init; }

    public Manifest? Examined { get; private set; }

    public bool IsApplied => _serial.Applied || _kvm.Applied;

    public byte[] StateBytes => [.. _serial.Bytes, .. _kvm.Bytes];

    public Manifest Manifest => new()
    {
        Program = "vmm test",
        Machine = RecordedStream.Machine,
        Name = "streamed",
        Memory = new MemoryManifest(Memory.Size, HugePages: false),
        Cpus = new CpuManifest(1, [], 0),
        Devices = [],
        Sections = [.. State.Select(s => new SectionManifest(s.Name, s.Instance, s.StateName, s.Version, s.MinimumVersion))],
        Console = "none",
    };

    public GuestMemory Memory => _memory ?? throw new InvalidOperationException("It is not prepared.");

    public IReadOnlyList<IStateSection> State => [_serial, _kvm];

    public static StreamMachine CreateSource(ulong size) => new(GuestMemory.Create(new GuestMemoryOptions(size)), filled: true);

    public static StreamMachine CreateDestination(params IReadOnlyList<string> reasons) => new(null, filled: false) { Reasons = reasons };

    public static StreamMachine CreateDestination(Exception failure) => new(null, filled: false) { PrepareFailure = failure };

    public void Pause() => Pauses++;

    public void Resume() => Resumes++;

    public Verdict Examine(Manifest manifest)
    {
        Examined = manifest;
        return new Verdict("vmm test", manifest.Memory.Size > 1ul << 34 ? ["memory: too much"] : Reasons, null);
    }

    public void Prepare()
    {
        if (PrepareFailure is not null)
        {
            throw PrepareFailure;
        }

        ulong size = Examined!.Memory.Size;
        _memory?.Dispose();
        _memory = size is 0 or > 64 << 20 || size % 4096 != 0
            ? throw new ArgumentException($"{size} bytes of memory")
            : GuestMemory.Create(new GuestMemoryOptions(size));
    }

    public void Run() => Runs++;

    public void Dispose() => _memory?.Dispose();
}
