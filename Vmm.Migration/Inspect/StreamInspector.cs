using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;
using Vmm.Core.State;
using Vmm.Migration.Stream;

namespace Vmm.Migration.Inspect;

/// <summary>
/// Reads any stream that ends with its description, with nothing but that description: what this program writes, older and newer versions
/// of it, and QEMU's.
/// </summary>
/// <remarks>The JSON has the form of QEMU's analyze-migration.py: numbers as hexadecimal text, bytes as pairs of digits.</remarks>
public sealed class StreamInspector
{
    /// <summary>QEMU_VM_COMMAND: u16 command, u16 length, data.</summary>
    private const byte Command = 0x08;

    private const int MaxDescription = 10 << 20;

    private readonly StreamFile _file;
    private readonly Dictionary<(string Name, int Instance), JsonElement> _devices = [];
    private readonly Dictionary<uint, RamInspector> _ram = [];
    private readonly JsonObject _sections = [];

    private StreamInspector(System.IO.Stream file) => _file = new StreamFile(file);

    /// <summary>Every section with its fields, in the order of the stream: <c>"cpu (0)": {"rip": "0x...", ...}</c>; the number is the section's.</summary>
    /// <param name="file">Can be sought in.</param>
    /// <exception cref="StateException">The file is no such stream, or is not as its description says.</exception>
    public static JsonObject Read(System.IO.Stream file)
    {
        StreamInspector inspector = new(file);
        using JsonDocument description = inspector.ReadDescription();
        inspector.ReadSections(description.RootElement);
        return inspector._sections;
    }

    /// <summary>The description alone, as it stands in the file.</summary>
    /// <exception cref="StateException">There is none.</exception>
    public static JsonDocument ReadDescription(System.IO.Stream file) => new StreamInspector(file).ReadDescription();

    private JsonDocument ReadDescription()
    {
        // Its length stands before it, and it is the last thing: the only place where type byte, length and end of file agree.
        byte[] tail = _file.Tail(MaxDescription);
        for (int at = tail.Length - 6; at >= 0; at--)
        {
            if (tail[at] == (byte)SectionType.Description && BinaryPrimitives.ReadUInt32BigEndian(tail.AsSpan(at + 1)) == tail.Length - at - 5)
            {
                return Parse(tail.AsMemory(at + 5));
            }
        }

        throw new StateException("description", "there is none at the end of the file: it is no migration stream, or was cut off");
    }

    private static JsonDocument Parse(ReadOnlyMemory<byte> json)
    {
        if (!Utf8.IsValid(json.Span))
        {
            throw new StateException("description", "it is no UTF-8");
        }

        try
        {
            return JsonDocument.Parse(json);
        }
        catch (JsonException e)
        {
            throw new StateException("description", $"it is no JSON: {e.Message}");
        }
    }

    private void ReadSections(JsonElement description)
    {
        foreach (JsonElement device in Description.Array(description, "devices"))
        {
            _devices[(Description.Text(device, "name"), Description.Number(device, "instance_id"))] = device;
        }

        uint magic = _file.TakeUInt32("header");
        uint version = _file.TakeUInt32("header");
        if (magic != StreamFormat.Magic || version != StreamFormat.Version)
        {
            throw new StateException("header", $"0x{magic:x8} version {version}, where a migration stream begins with 0x{StreamFormat.Magic:x8} version {StreamFormat.Version}");
        }

        while ((SectionType)_file.TakeByte("section") is var type && type != SectionType.EndOfFile)
        {
            ReadPart(type, description);
        }
    }

    private void ReadPart(SectionType type, JsonElement description)
    {
        switch (type)
        {
            case SectionType.Configuration:
                ReadConfiguration(description);
                break;
            case SectionType.Start or SectionType.Full:
                ReadSection();
                break;
            case SectionType.Part or SectionType.End:
                uint number = _file.TakeUInt32("section");
                (_ram.GetValueOrDefault(number) ?? throw new StateException($"section {number}", "it goes on where it has not begun")).Read();
                break;
            case SectionType.Footer:
                _ = _file.TakeUInt32("footer");
                break;
            case (SectionType)Command:
                _ = _file.TakeUInt16("command");
                _file.Skip(_file.TakeUInt16("command"), "command");
                break;
            default:
                throw new StateException("section", string.Create(CultureInfo.InvariantCulture, $"byte 0x{(byte)type:x2} at {_file.Position - 1} begins no section"));
        }
    }

    private void ReadConfiguration(JsonElement description)
    {
        if (Description.Find(description, "configuration") is { } configuration)
        {
            _ = new FieldInspector(_file).Read(configuration, "configuration");
            return;
        }

        _file.Skip(_file.TakeUInt32("configuration"), "configuration");
    }

    private void ReadSection()
    {
        uint number = _file.TakeUInt32("section");
        string name = _file.TakeName("section");
        int instance = (int)_file.TakeUInt32(name);
        uint version = _file.TakeUInt32(name);
        string key = $"{name} ({number})";
        if (name == RamInspector.Name)
        {
            RamInspector ram = new(_file, version);
            _ram[number] = ram;
            _sections[key] = ram.Result;
            ram.Read();
            return;
        }

        if (!_devices.TryGetValue((name, instance), out JsonElement device))
        {
            throw new StateException($"{name}[{instance}]", "the description at the end of the file does not know this section");
        }

        _sections[key] = new FieldInspector(_file).Read(device, name);
    }
}
