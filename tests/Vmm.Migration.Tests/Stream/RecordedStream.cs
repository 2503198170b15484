using Vmm.Core.Devices.Uart;
using Vmm.Core.State;
using Vmm.Core.Virtio;
using Vmm.Devices.VirtioNet;
using Vmm.Kvm.State;
using Vmm.Migration.Stream;
using Vmm.Migration.Tests.Conformance;

namespace Vmm.Migration.Tests.Stream;

/// <summary>A stream of a machine with one vCPU and one network card, and its parts.</summary>
internal static class RecordedStream
{
    public const string Machine = "vmm-test";

    /// <summary>Sections with a value in every row.</summary>
    public static IReadOnlyList<IStateSection> Sections() =>
    [
        new FixedSection<UartState>("serial", DescribedType.Filled<UartState>()),
        new FixedSection<VirtioNetSectionState>("net0/virtio-net", DescribedType.Filled<VirtioNetSectionState>()),
        new FixedSection<VirtioMmioTransportState>("net0/virtio-mmio", DescribedType.Filled<VirtioMmioTransportState>()),
        new FixedSection<KvmVcpuState>("cpu", DescribedType.Filled<KvmVcpuState>()),
        new FixedSection<KvmVcpuState>("cpu", DescribedType.Filled<KvmVcpuState>(), instance: 1),
        new FixedSection<KvmVmState>("kvm", DescribedType.Filled<KvmVmState>()),
    ];

    /// <summary>The same, as a machine has them that has not been used yet.</summary>
    public static IReadOnlyList<IStateSection> EmptySections() =>
    [
        new FixedSection<UartState>("serial", default),
        new FixedSection<VirtioNetSectionState>("net0/virtio-net", DescribedType.Empty<VirtioNetSectionState>()),
        new FixedSection<VirtioMmioTransportState>("net0/virtio-mmio", DescribedType.Empty<VirtioMmioTransportState>()),
        new FixedSection<KvmVcpuState>("cpu", DescribedType.Empty<KvmVcpuState>()),
        new FixedSection<KvmVcpuState>("cpu", DescribedType.Empty<KvmVcpuState>(), instance: 1),
        new FixedSection<KvmVmState>("kvm", DescribedType.Empty<KvmVmState>()),
    ];

    /// <summary>Without the description, as it goes from process to process.</summary>
    public static byte[] Bytes(IReadOnlyList<IStateSection> sections)
    {
        StateBuffer buffer = new();
        SectionWriter.Write(buffer, Machine, sections);
        return buffer.Written.ToArray();
    }

    /// <summary>With the description, as it goes into a file.</summary>
    public static byte[] Described(IReadOnlyList<IStateSection> sections)
    {
        StateBuffer buffer = new();
        SectionWriter.Write(buffer, Machine, sections);
        StreamDescription.Append(buffer, Machine, sections);
        return buffer.Written.ToArray();
    }

    /// <summary>Null when it was loaded whole, or the reason why not. Any other exception goes through.</summary>
    public static string? Load(ReadOnlySpan<byte> bytes, IReadOnlyList<IStateSection> sections, string machine = Machine)
    {
        StateInput input = new(bytes);
        try
        {
            SectionReader.Load(ref input, machine, sections);
            return null;
        }
        catch (StateException e)
        {
            return e.Message;
        }
    }
}
