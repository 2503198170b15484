using System.Text;
using System.Text.Json;
using Vmm.Core.State;
using Vmm.Migration.Live;

namespace Vmm.Migration.Stream;

/// <summary>Writes a paused machine as <see cref="MachineStream"/> has it.</summary>
internal static class MachineStreamWriter
{
    /// <summary>Returns the bytes written.</summary>
    public static long Write(System.IO.Stream target, IStreamSource machine)
    {
        Manifest manifest = machine.Manifest;
        StreamSection<ManifestState> first = new(MachineStream.ManifestKind, new ManifestState { Json = JsonSerializer.SerializeToUtf8Bytes(manifest, MigrationJson.Default.Manifest) });
        StreamSection<RemainderState> remainder = new(MachineStream.RemainderKind);
        StateBuffer rest = new();
        SectionWriter.WriteSections(rest, machine.State, MachineStream.FirstStateNumber);
        rest.Byte((byte)SectionType.EndOfFile);
        StreamDescription.Append(rest, manifest.Machine, [first, remainder, .. machine.State]);
        remainder.Value.Size = (uint)rest.Length;

        StreamOutput output = new(target);
        output.Number(StreamFormat.Magic);
        output.Number(StreamFormat.Version);
        output.Byte((byte)SectionType.Configuration);
        byte[] name = Encoding.UTF8.GetBytes(manifest.Machine);
        output.Number((uint)name.Length);
        output.Bytes(name);
        WriteSection(output, first, MachineStream.ManifestNumber);
        RamWriter ram = new(output, machine.Memory);
        ram.WriteStart();
        ram.WriteEnd();
        WriteSection(output, remainder, MachineStream.RemainderNumber);
        output.Bytes(rest.Written);
        output.Flush();
        return output.Position;
    }

    private static void WriteSection(StreamOutput output, IStateSection section, uint number)
    {
        StateBuffer buffer = new();
        SectionWriter.WriteSections(buffer, [section], number);
        output.Bytes(buffer.Written);
    }
}
