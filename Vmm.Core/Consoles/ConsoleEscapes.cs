namespace Vmm.Core.Consoles;

/// <summary>Takes the user's own commands out of what is typed: Ctrl-A and a letter, as QEMU has them. A machine of two states.</summary>
internal sealed class ConsoleEscapes(Action quit, Action help)
{
    private const byte Prefix = 0x01; // Ctrl-A

    private bool _prefixed;

    /// <summary>Removes the commands from <paramref name="bytes"/> in place and runs them; returns how many bytes are left for the guest.</summary>
    public int Filter(Span<byte> bytes)
    {
        int kept = 0;
        foreach (byte value in bytes)
        {
            if (!_prefixed)
            {
                _prefixed = value == Prefix;
                if (!_prefixed)
                {
                    bytes[kept++] = value;
                }

                continue;
            }

            _prefixed = false;
            switch (value)
            {
                case (byte)'x':
                    quit();
                    break;
                case (byte)'h' or (byte)'?':
                    help();
                    break;
                case Prefix or (byte)'a':
                    bytes[kept++] = Prefix;
                    break;
            }
        }

        return kept;
    }
}
