namespace Vmm.Fuzz;

/// <summary>Changes an input a little, in ways that find the most: bytes, numbers at their limits, pieces cut out or doubled.</summary>
internal static class Mutation
{
    private static readonly byte[] s_limits = [0, 1, 4, 5, 0x10, 0x7e, 0x7f, 0x80, (byte)'"', (byte)'[', (byte)'{', (byte)'0', (byte)'\\', 0xfe, 0xff];

    public static byte[] Of(byte[] seed, Random random)
    {
        List<byte> bytes = [.. seed];
        for (int i = random.Next(1, 6); i > 0 && bytes.Count > 0; i--)
        {
            int at = random.Next(bytes.Count);
            int length = Math.Min(random.Next(1, 64), bytes.Count - at);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1 or 2:
                    bytes[at] = s_limits[random.Next(s_limits.Length)];
                    break;
                case 3:
                    bytes.RemoveRange(at, length);
                    break;
                case 4:
                    bytes.InsertRange(at, bytes.GetRange(at, length));
                    break;
                default:
                    bytes.RemoveRange(at, random.Next(8) == 0 ? bytes.Count - at : length);
                    break;
            }
        }

        return [.. bytes];
    }
}
