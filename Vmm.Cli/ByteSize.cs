using System.Globalization;

namespace Vmm.Cli;

/// <summary>Sizes as people write them: <c>256M</c>. The suffixes are powers of 1,024.</summary>
internal static class ByteSize
{
    /// <summary>A whole number of bytes with an optional K, M, G or T (either case, an added iB or B is fine).</summary>
    public static bool TryParse(string text, out ulong bytes)
    {
        bytes = 0;
        int digits = 0;
        while (digits < text.Length && char.IsAsciiDigit(text[digits]))
        {
            digits++;
        }

        int shift = text[digits..].ToUpperInvariant() switch
        {
            "" or "B" => 0,
            "K" or "KB" or "KIB" => 10,
            "M" or "MB" or "MIB" => 20,
            "G" or "GB" or "GIB" => 30,
            "T" or "TB" or "TIB" => 40,
            _ => -1,
        };
        if (shift < 0 || !ulong.TryParse(text[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) || number > ulong.MaxValue >> shift)
        {
            return false;
        }

        bytes = number << shift;
        return true;
    }

    /// <summary><c>256 MiB</c>, <c>1.5 GiB</c>.</summary>
    public static string Format(ulong bytes)
    {
        (double value, string unit) = bytes switch
        {
            >= 1ul << 40 => (bytes / (double)(1ul << 40), "TiB"),
            >= 1ul << 30 => (bytes / (double)(1ul << 30), "GiB"),
            >= 1ul << 20 => (bytes / (double)(1ul << 20), "MiB"),
            >= 1ul << 10 => (bytes / (double)(1ul << 10), "KiB"),
            _ => (bytes, "bytes"),
        };
        return string.Create(CultureInfo.InvariantCulture, $"{value:0.#} {unit}");
    }
}
