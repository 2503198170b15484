using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Vmm.Core.Devices.VirtioBlock;

public sealed partial record DiskDeviceOptions
{
    private static readonly string[] s_keys = ["path", "id", "readonly", "cache", "serial", "queues"];

    private static readonly (string Word, DiskCache Cache)[] s_caches = [("writeback", DiskCache.WriteBack), ("none", DiskCache.None), ("unsafe", DiskCache.Unsafe)];

    /// <exception cref="FormatException">The message is a sentence that names the field, its value and what it may be.</exception>
    public static DiskDeviceOptions Parse(string text)
        => TryParse(text, out DiskDeviceOptions? options, out string? error) ? options : throw new FormatException(error);

    /// <summary>The same without an exception.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out DiskDeviceOptions? options, [NotNullWhen(false)] out string? error)
    {
        DiskDeviceOptions result = new();
        HashSet<string> seen = [];
        error = null;
        foreach (string part in Split(text))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            string key = equals < 0 ? part : part[..equals];
            string value = equals < 0 ? "" : part[(equals + 1)..];
            error = !s_keys.Contains(key) ? $"'{key}' is no option of a disk. Known are: {string.Join(", ", s_keys)}. A comma in a path is written twice."
                : !seen.Add(key) ? $"'{key}' is given twice."
                : value.Length == 0 ? $"'{key}' lacks a value: write {key}=..."
                : result.Set(key, value, out result);
            if (error is not null)
            {
                break;
            }
        }

        error ??= result.Path.Length == 0 ? "'path' is missing: which file or block device is it? Write path=FILE." : null;
        error = error is null ? null : $"--disk {text}: {error}";
        options = error is null ? result : null;
        return error is null;
    }

    /// <summary>At single commas; two stand for one.</summary>
    private static IEnumerable<string> Split(string text)
    {
        StringBuilder part = new();
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != ',')
            {
                part.Append(text[i]);
            }
            else if (i + 1 < text.Length && text[i + 1] == ',')
            {
                part.Append(text[i++]);
            }
            else
            {
                yield return part.ToString();
                part.Clear();
            }
        }

        yield return part.ToString();
    }

    private string? Set(string key, string value, out DiskDeviceOptions next)
    {
        next = this;
        switch (key)
        {
            case "path":
                next = this with { Path = value };
                return value.Contains('\0') ? "path= holds a NUL character." : null;
            case "id":
                next = this with { Id = value };
                return value.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
                    ? null : $"id={value} may hold letters, digits, '-', '_' and '.' only.";
            case "readonly":
                next = this with { ReadOnly = value == "on" };
                return value is "on" or "off" ? null : $"readonly={value} is neither on nor off.";
            case "cache":
                (string word, DiskCache cache) = Array.Find(s_caches, c => c.Word == value);
                next = this with { Cache = cache };
                return word is null ? $"cache={value} is none of writeback, none and unsafe." : null;
            case "serial":
                next = this with { Serial = value };
                return value.Any(c => c is < ' ' or > '~') ? $"serial={value} may hold printable ASCII characters only."
                    : value.Length > MaxSerial ? $"serial={value} has {value.Length} characters; a serial number has {MaxSerial} at most."
                    : null;
            default:
                bool valid = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int queues) && queues is >= 1 and <= MaxQueues;
                next = this with { Queues = queues };
                return valid ? null : $"queues={value} is not a number from 1 to {MaxQueues}.";
        }
    }
}
