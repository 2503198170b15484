using System.Buffers.Binary;
using Vmm.Core.State;
using Vmm.Migration.Inspect;
using Vmm.Migration.Tests.Stream;

namespace Vmm.Fuzz;

/// <summary><c>vmm inspect</c>: any file is shown, or is a <see cref="StateException"/>.</summary>
internal sealed class InspectTarget : FuzzTarget
{
    public override string Name => "inspect";

    public override IEnumerable<(string Name, byte[] Bytes)> Seeds =>
    [
        ("sections", RecordedStream.Described(RecordedStream.Sections())),
        ("empty-sections", RecordedStream.Described(RecordedStream.EmptySections())),
        ("machine", MachineFile.Create()),
    ];

    public override void Run(ReadOnlySpan<byte> input)
    {
        byte[] bytes = input.ToArray();
        Inspect(bytes);

        // With another length hardly any description would be found: its length is put right, so that it is read.
        int start = bytes.AsSpan().LastIndexOf("{\"configuration"u8);
        if (start >= sizeof(uint))
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(start - sizeof(uint)), (uint)(bytes.Length - start));
            Inspect(bytes);
        }
    }

    private static void Inspect(byte[] bytes)
    {
        try
        {
            using MemoryStream file = new(bytes);
            StreamInspector.Read(file).ToJsonString();
        }
        catch (StateException)
        {
            // Refused with section and field.
        }
    }
}
