using System.Diagnostics.CodeAnalysis;
using System.Text;
using Vmm.Core.Linux;

namespace Vmm.Core.Consoles;

/// <summary>What <c>--console</c> asks for.</summary>
/// <param name="Kind">The kind of back end.</param>
/// <param name="Path">Of the file or the socket; null for the others.</param>
public sealed record ConsoleOptions(ConsoleKind Kind, string? Path = null)
{
    /// <summary>Bytes of a socket's path: sun_path has 108 with the final NUL (unix(7)).</summary>
    public const int MaxSocketPath = UnixSocketFile.MaxPath;

    private const string Forms = "stdio, file:PATH, pty, unix:PATH or none";

    /// <summary>Reads <c>stdio</c>, <c>file:PATH</c>, <c>pty</c>, <c>unix:PATH</c> or <c>none</c>.</summary>
    /// <exception cref="FormatException">It is none of them; the message names the value and what is wrong with it.</exception>
    public static ConsoleOptions Parse(string text) => TryParse(text, out ConsoleOptions? options, out string? error) ? options : throw new FormatException(error);

    /// <param name="text">The option's value.</param>
    /// <param name="options">What it means, when the result is true.</param>
    /// <param name="error">A sentence with the value and what to do, when the result is false.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out ConsoleOptions? options, [NotNullWhen(false)] out string? error)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string kind = colon < 0 ? text : text[..colon];
        string? path = colon < 0 ? null : text[(colon + 1)..];
        options = kind switch
        {
            "stdio" => new ConsoleOptions(ConsoleKind.Stdio, path),
            "file" => new ConsoleOptions(ConsoleKind.File, path),
            "pty" => new ConsoleOptions(ConsoleKind.Pty, path),
            "unix" => new ConsoleOptions(ConsoleKind.UnixSocket, path),
            "none" => new ConsoleOptions(ConsoleKind.None, path),
            _ => null,
        };
        error = options is null ? $"Console '{text}': the kind '{kind}' is unknown. Use {Forms}." : Check(options, text);
        options = error is null ? options : null;
        return error is null;
    }

    /// <summary>The form that <see cref="Parse"/> reads.</summary>
    public override string ToString() => Kind switch
    {
        ConsoleKind.Stdio => "stdio",
        ConsoleKind.File => $"file:{Path}",
        ConsoleKind.Pty => "pty",
        ConsoleKind.UnixSocket => $"unix:{Path}",
        _ => "none",
    };

    private static string? Check(ConsoleOptions options, string text)
    {
        bool wantsPath = options.Kind is ConsoleKind.File or ConsoleKind.UnixSocket;
        return options switch
        {
            { Path: null or "" } when wantsPath => $"Console '{text}': the path is missing. Use {text.TrimEnd(':')}:PATH.",
            { Path: { } path } when !wantsPath => $"Console '{text}': it takes no path, and '{path}' was given. Use {Forms}.",
            { Kind: ConsoleKind.UnixSocket, Path: { } path } when Encoding.UTF8.GetByteCount(path) > MaxSocketPath
                => $"Console '{text}': the path has {Encoding.UTF8.GetByteCount(path)} bytes, and a UNIX socket's has at most {MaxSocketPath}. Use a shorter one.",
            _ => null,
        };
    }
}
