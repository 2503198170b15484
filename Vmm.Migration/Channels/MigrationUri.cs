using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Vmm.Migration.Channels;

/// <summary>Where a machine goes to, or comes from: <c>unix:PATH</c>, <c>fd:N</c>, <c>exec:COMMAND</c>, <c>file:PATH</c> or <c>tcp:HOST:PORT</c>.</summary>
public sealed record MigrationUri
{
    /// <summary>unix(7): sockaddr_un has room for these bytes and a zero.</summary>
    private const int MaxSocketPath = 107;

    private MigrationUri(MigrationScheme scheme, string target, int number = 0) => (Scheme, Target, Number) = (scheme, target, number);

    public MigrationScheme Scheme { get; }

    /// <summary>The path, the command, or the host: empty for all addresses of this one.</summary>
    public string Target { get; }

    /// <summary>The descriptor, or the port.</summary>
    public int Number { get; }

    /// <exception cref="FormatException">A sentence that says what is wrong.</exception>
    public static MigrationUri Parse(string text) => TryParse(text, out MigrationUri? uri, out string? error) ? uri : throw new FormatException(error);

    /// <param name="text">What the user has written.</param>
    /// <param name="error">A sentence that says what is wrong.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out MigrationUri? uri, [NotNullWhen(false)] out string? error)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string target = text[(colon + 1)..];
        (uri, error) = text[..Math.Max(colon, 0)] switch
        {
            "unix" => Socket(text, target),
            "fd" => Descriptor(text, target),
            "exec" => NotEmpty(text, MigrationScheme.Command, target, "command", "exec:gzip >machine.gz"),
            "file" => NotEmpty(text, MigrationScheme.File, target, "path", "file:machine.state"),
            "tcp" => Tcp(text, target),
            _ => Wrong($"'{text}' is no place that a machine can go to or come from; write unix:PATH, fd:N, exec:COMMAND, file:PATH or tcp:HOST:PORT."),
        };
        return uri is not null;
    }

    /// <summary>As it is parsed.</summary>
    public override string ToString() => Scheme switch
    {
        MigrationScheme.Unix => $"unix:{Target}",
        MigrationScheme.Descriptor => string.Create(CultureInfo.InvariantCulture, $"fd:{Number}"),
        MigrationScheme.Command => $"exec:{Target}",
        MigrationScheme.File => $"file:{Target}",
        _ when Target.Contains(':', StringComparison.Ordinal) => string.Create(CultureInfo.InvariantCulture, $"tcp:[{Target}]:{Number}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"tcp:{Target}:{Number}"),
    };

    internal MigrationUri WithNumber(int number) => new(Scheme, Target, number);

    private static (MigrationUri?, string?) Socket(string text, string path)
    {
        int length = Encoding.UTF8.GetByteCount(path);
        return length is > 0 and <= MaxSocketPath && !path.Contains('\0', StringComparison.Ordinal)
            ? (new MigrationUri(MigrationScheme.Unix, path), null)
            : Wrong($"'{text}': its path has {length} bytes, and a UNIX socket's has 1 to {MaxSocketPath}; write for example unix:/run/vmm/incoming.");
    }

    // 0 to 2 are the console's.
    private static (MigrationUri?, string?) Descriptor(string text, string number)
        => int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int fd) && fd >= 3
            ? (new MigrationUri(MigrationScheme.Descriptor, "", fd), null)
            : Wrong($"'{text}': '{number}' is no number of an inherited descriptor, which is 3 or higher; write for example fd:3.");

    private static (MigrationUri?, string?) NotEmpty(string text, MigrationScheme scheme, string target, string what, string example)
        => target.Length > 0 && !target.Contains('\0', StringComparison.Ordinal)
            ? (new MigrationUri(scheme, target), null)
            : Wrong($"'{text}': the {what} is missing; write for example {example}.");

    private static (MigrationUri?, string?) Tcp(string text, string target)
    {
        int colon = target.LastIndexOf(':');
        string host = target[..Math.Max(colon, 0)];
        if (host is ['[', .. var inner, ']'])
        {
            host = inner;
        }
        else if (host.Contains(':', StringComparison.Ordinal))
        {
            return Wrong($"'{text}': an IPv6 address stands in brackets; write for example tcp:[::1]:4444.");
        }

        return colon >= 0 && ushort.TryParse(target.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port)
            ? (new MigrationUri(MigrationScheme.Tcp, host, port), null)
            : Wrong($"'{text}': host and port, a number up to 65535, are needed; write for example tcp:localhost:4444.");
    }

    private static (MigrationUri?, string?) Wrong(string error) => (null, error);
}
