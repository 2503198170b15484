namespace Vmm.Cli.Qmp;

/// <summary>
/// Finds where one JSON value ends in bytes that come piece by piece; neither lines nor pauses mean anything, as in QEMU. Every byte is
/// looked at once, and whether the value is a good one is not asked here.
/// </summary>
internal struct JsonFramer
{
    private int _scanned;
    private int _depth;
    private bool _inString;
    private bool _isEscaped;
    private bool _inWord;

    /// <summary>Nothing of a value has been seen.</summary>
    public readonly bool IsAtStart => _scanned == 0;

    /// <param name="bytes">From the value's first byte on.</param>
    /// <param name="length">How many bytes the value has. The next call is about the bytes after it.</param>
    /// <returns>False when the end has not come yet; the next call gets the same bytes and more.</returns>
    public bool TryFindEnd(ReadOnlySpan<byte> bytes, out int length)
    {
        while (_scanned < bytes.Length)
        {
            byte next = bytes[_scanned];
            bool isOfWord = next > ' ' && !"{}[],:\""u8.Contains(next);
            if (_inWord && !isOfWord)
            {
                return End(_scanned, out length);
            }

            _scanned++;
            if (_inString ? EndsInString(next) : isOfWord ? BeginWord() : EndsAt(next))
            {
                return End(_scanned, out length);
            }
        }

        length = 0;
        return false;
    }

    /// <summary>A word, such as <c>true</c> or <c>12</c>, is a value of its own outside of brackets only.</summary>
    private bool BeginWord()
    {
        _inWord = _depth == 0;
        return false;
    }

    /// <summary>True when the string was the whole value, or can't be one: no string goes over the end of a line.</summary>
    private bool EndsInString(byte next)
    {
        if (next < ' ')
        {
            return true;
        }

        bool closes = next == '"' && !_isEscaped;
        _isEscaped = next == '\\' && !_isEscaped;
        _inString = !closes;
        return closes && _depth == 0;
    }

    private bool EndsAt(byte next)
    {
        switch (next)
        {
            case (byte)'"':
                _inString = true;
                return false;
            case (byte)'{' or (byte)'[':
                _depth++;
                return false;
            case (byte)'}' or (byte)']':
                _depth--;
                return _depth <= 0;
            case (byte)',' or (byte)':':
                return _depth == 0;
            default:
                return false;
        }
    }

    private bool End(int at, out int length)
    {
        this = default;
        length = at;
        return true;
    }
}
