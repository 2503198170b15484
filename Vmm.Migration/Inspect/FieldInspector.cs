using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vmm.Core.State;

namespace Vmm.Migration.Inspect;

/// <summary>Reads the fields of one struct as a description says.</summary>
internal sealed class FieldInspector(StreamFile file)
{
    private const byte Subsection = 0x05;
    private const int MaxDepth = 32;
    private int _depth;
    private long _values;

    public JsonObject Read(JsonElement description, string path)
    {
        if (++_depth > MaxDepth)
        {
            throw new StateException(path, $"structs are nested more than {MaxDepth} deep");
        }

        JsonObject result = [];
        foreach (JsonElement field in Description.Array(description, "fields"))
        {
            string name = Description.Text(field, "name");
            bool isCompressed = Description.Find(field, "array_len") is not null;
            bool isElement = isCompressed || Description.Find(field, "index") is not null;
            int count = isCompressed ? Description.Number(field, "array_len") : 1;
            if (count > file.Left)
            {
                throw new StateException($"{path}: {name}", $"array_len {count} is more than the {file.Left} bytes that are left");
            }

            for (int i = 0; i < count; i++)
            {
                Add(result, name, ReadValue(field, $"{path}: {name}"), isElement);
            }
        }

        if (Description.Find(description, "subsections") is not null)
        {
            foreach (JsonElement subsection in Description.Array(description, "subsections"))
            {
                ReadSubsection(result, subsection, path);
            }
        }

        _depth--;
        return result;
    }

    private void ReadSubsection(JsonObject result, JsonElement description, string path)
    {
        string wanted = Description.Text(description, "vmsd_name");
        byte mark = file.TakeByte(path);
        string name = mark == Subsection ? file.TakeName(path) : "";
        if (name != wanted)
        {
            throw new StateException(path, $"the subsection {wanted} does not stand at byte {file.Position - 1 - name.Length}, where the description says");
        }

        _ = file.TakeUInt32(path);
        Add(result, name, Read(description, name), isElement: false);
    }

    private JsonNode ReadValue(JsonElement field, string path)
    {
        // A description can say that there are any number of values that take no bytes.
        if (++_values > file.Length)
        {
            throw new StateException(path, $"the description has more values than the file has bytes, {file.Length}");
        }

        string type = Description.Text(field, "type");
        if (type == "struct" && Description.Find(field, "struct") is { } inner)
        {
            return Read(inner, path);
        }

        int size = Description.Number(field, "size");
        byte[] bytes = file.Take(size, path);
        return type.Split(' ')[0] switch
        {
            "bool" when size == 1 => JsonValue.Create(bytes[0] != 0),
            "uint8" or "uint16" or "uint32" or "uint64" when size is > 0 and <= 8 => JsonValue.Create(Hexadecimal(bytes)),
            "int8" or "int16" or "int32" or "int64" when size is > 0 and <= 8 => JsonValue.Create(Signed(bytes)),
            _ => JsonValue.Create(string.Join(' ', bytes.Select(b => b.ToString("x2", CultureInfo.InvariantCulture)))),
        };
    }

    private static string Hexadecimal(byte[] bytes) => "0x" + Convert.ToHexStringLower(bytes);

    private static string Signed(byte[] bytes)
    {
        Span<byte> wide = stackalloc byte[8];
        wide.Fill((bytes[0] & 0x80) != 0 ? (byte)0xff : (byte)0);
        bytes.CopyTo(wide[(8 - bytes.Length)..]);
        long value = BinaryPrimitives.ReadInt64BigEndian(wide);
        return value < 0 ? string.Create(CultureInfo.InvariantCulture, $"{Hexadecimal(bytes)} ({value})") : Hexadecimal(bytes);
    }

    /// <summary>Fields of the same name are elements of one array, and so is a lone one that has an index.</summary>
    private static void Add(JsonObject result, string name, JsonNode value, bool isElement)
    {
        if (!result.TryGetPropertyValue(name, out JsonNode? there))
        {
            result[name] = isElement ? new JsonArray(value) : value;
        }
        else if (there is JsonArray array)
        {
            array.Add(value);
        }
        else
        {
            result.Remove(name);
            result[name] = new JsonArray(there, value);
        }
    }
}
