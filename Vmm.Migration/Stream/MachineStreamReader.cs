using System.Globalization;
using System.Text;
using System.Text.Json;
using Vmm.Core.State;
using Vmm.Migration.Live;

namespace Vmm.Migration.Stream;

/// <summary>Reads a machine as <see cref="MachineStream"/> has it, from somebody who may be anybody. The guest does not run before all was read and applied.</summary>
internal sealed class MachineStreamReader(System.IO.Stream source, IStreamDestination machine)
{
    private const int MaxName = byte.MaxValue;

    private readonly StreamInput _input = new(source);

    /// <summary>Builds the machine and sets its state.</summary>
    /// <param name="untilEnd">Nothing may follow; false where the source waits for an answer.</param>
    /// <exception cref="StateException">What is wrong, and in which section and field.</exception>
    /// <exception cref="MigrationException">The machine can't be taken over.</exception>
    public Manifest Read(bool untilEnd)
    {
        string type = ReadHeader();
        Manifest manifest = ReadManifest(type);
        Verdict verdict = machine.Examine(manifest);
        if (!verdict.IsAccepted)
        {
            throw new MigrationException(MigrationStep.Verdict, $"refused: {string.Join("; ", verdict.Reasons)}");
        }

        Prepare();
        ReadRam();
        LoadState(ReadRemainder());
        if (untilEnd && !_input.IsAtEnd() || !_input.IsEmpty)
        {
            throw new StateException("stream", "more follows its end");
        }

        foreach (IStateSection section in machine.State)
        {
            section.Apply();
        }

        return manifest;
    }

    private void Prepare()
    {
        try
        {
            machine.Prepare();
        }
        catch (Exception e) when (e is not (MigrationException or StateException))
        {
            throw new MigrationException(MigrationStep.Prepared, e.Message, e);
        }
    }

    /// <summary>Returns the machine's type.</summary>
    private string ReadHeader()
    {
        uint magic = _input.TakeNumber("header");
        if (magic != StreamFormat.Magic)
        {
            throw new StateException("header", $"begins with 0x{magic:x8}, a migration stream with 0x{StreamFormat.Magic:x8}");
        }

        uint version = _input.TakeNumber("header");
        if (version != StreamFormat.Version)
        {
            throw new StateException("header", $"version {version} of the format, where {StreamFormat.Version} is read here");
        }

        Expect(SectionType.Configuration, "header");
        uint length = _input.TakeNumber("configuration");
        return length <= MaxName
            ? Encoding.UTF8.GetString(_input.Take((int)length, "configuration"))
            : throw new StateException("configuration", $"a machine name of {length} bytes, where {MaxName} can be");
    }

    private Manifest ReadManifest(string type)
    {
        string name = ManifestState.StateName;
        int version = ReadSectionHeader(SectionType.Full, MachineStream.ManifestNumber, MachineStream.ManifestKind);
        uint size = _input.PeekNumber(name);
        if (size > ManifestState.MaxSize)
        {
            throw new StateException($"{name}: size", $"{size} is not 0 to {ManifestState.MaxSize}");
        }

        StreamSection<ManifestState> section = new(MachineStream.ManifestKind);
        Load(section, version, sizeof(uint) + (int)size);
        Manifest? manifest;
        try
        {
            manifest = JsonSerializer.Deserialize(section.Value.Json, MigrationJson.Default.Manifest);
        }
        catch (JsonException e)
        {
            throw new StateException($"{name}: json", $"it is malformed: {e.Message}");
        }

        ReadFooter(MachineStream.ManifestNumber, name);
        return manifest is null ? throw new StateException($"{name}: json", "it is null")
            : manifest.Protocol != Manifest.CurrentProtocol ? throw new StateException($"{name}: json", $"version {manifest.Protocol} of the protocol, where {Manifest.CurrentProtocol} is read here")
            : manifest.Machine != type ? throw new StateException($"{name}: json", $"the machine is of type {manifest.Machine}, the configuration says {type}")
            : manifest;
    }

    private void ReadRam()
    {
        RamReader ram = new(_input, machine.Memory);
        uint version = ReadStart(SectionType.Start, MachineStream.RamNumber, RamBlock.Name);
        if (version != StreamFormat.RamVersion)
        {
            throw new StateException(RamBlock.Name, $"version {version}, where {StreamFormat.RamVersion} is read here");
        }

        ram.ReadStart();
        ReadFooter(MachineStream.RamNumber, RamBlock.Name);
        SectionType part;
        do
        {
            part = (SectionType)_input.TakeByte(RamBlock.Name);
            uint number = _input.TakeNumber(RamBlock.Name);
            if (part is not (SectionType.Part or SectionType.End) || number != MachineStream.RamNumber)
            {
                throw new StateException(RamBlock.Name, $"byte 0x{(byte)part:x2} and section {number}, where its next part is expected");
            }

            ram.ReadPages();
            ReadFooter(MachineStream.RamNumber, RamBlock.Name);
        }
        while (part != SectionType.End);
    }

    /// <summary>Returns how much follows.</summary>
    private uint ReadRemainder()
    {
        string name = RemainderState.StateName;
        int version = ReadSectionHeader(SectionType.Full, MachineStream.RemainderNumber, MachineStream.RemainderKind);
        StreamSection<RemainderState> section = new(MachineStream.RemainderKind);
        Load(section, version, sizeof(uint));
        ReadFooter(MachineStream.RemainderNumber, name);
        uint size = section.Value.Size;
        return size <= StreamFormat.MaxStateSize ? size : throw new StateException($"{name}: size", $"{size} is not 0 to {StreamFormat.MaxStateSize}");
    }

    private void LoadState(uint size)
    {
        StateInput rest = new(_input.TakeAll(size, "state"));
        SectionReader.LoadSections(ref rest, machine.State, MachineStream.FirstStateNumber);

        // What the description says is known here; that it is there, and whole, shows that the stream is.
        if (!rest.TryTakeByte(out byte type) || type != (byte)SectionType.Description || !rest.TryTakeNumber(out uint length) || length != (uint)rest.Left)
        {
            throw new StateException("description", string.Create(CultureInfo.InvariantCulture, $"it does not take the last {rest.Left} bytes of the stream"));
        }
    }

    private static void Load(IStateSection section, int version, ReadOnlySpan<byte> body)
    {
        StateInput input = new(body);
        section.Load(ref input, version);
        if (input.Left > 0)
        {
            throw new StateException(section.Name, $"{input.Left} bytes follow its fields");
        }

        section.Apply();
    }

    private void Load(IStateSection section, int version, int size) => Load(section, version, _input.Take(size, section.Name));

    private int ReadSectionHeader(SectionType type, uint number, StateKind kind)
    {
        uint version = ReadStart(type, number, kind.Name);
        return version >= (uint)kind.MinimumVersion && version <= (uint)kind.Version
            ? (int)version
            : throw new StateException(kind.Name, $"version {version}, where this program reads {kind.MinimumVersion} to {kind.Version}");
    }

    /// <summary>Returns the version.</summary>
    private uint ReadStart(SectionType type, uint number, string name)
    {
        Expect(type, name);
        uint foundNumber = _input.TakeNumber(name);
        string foundName = _input.TakeName(name);
        uint instance = _input.TakeNumber(name);
        return foundNumber == number && foundName == name && instance == 0
            ? _input.TakeNumber(name)
            : throw new StateException(name, $"section {foundNumber}, {foundName}[{instance}], stands where section {number} is expected");
    }

    private void ReadFooter(uint number, string name)
    {
        Expect(SectionType.Footer, name);
        uint footer = _input.TakeNumber(name);
        if (footer != number)
        {
            throw new StateException(name, $"the footer says section {footer}, the header {number}");
        }
    }

    private void Expect(SectionType wanted, string where)
    {
        byte found = _input.TakeByte(where);
        if (found != (byte)wanted)
        {
            throw new StateException(where, $"byte 0x{found:x2} where 0x{(byte)wanted:x2} ({wanted}) is expected");
        }
    }
}
