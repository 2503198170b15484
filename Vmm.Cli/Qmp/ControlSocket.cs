using System.Text;
using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Cli.Qmp;

/// <summary>A machine's name and the socket that goes with it: as long as one lives, nobody else gets that name.</summary>
/// <param name="Name">The machine's.</param>
/// <param name="Listener">Null where there is no control plane.</param>
internal sealed record ControlSocket(string Name, UnixListener? Listener)
{
    /// <summary>What a machine is called that has no name; the second one is vm-2.</summary>
    public const string DefaultName = "vm";

    /// <summary><c>--qmp none</c>.</summary>
    public const string None = "none";

    private const int MostNames = 10_000;

    /// <param name="name">Null for any that is free.</param>
    /// <param name="path">Null for one in the runtime directory, or <see cref="None"/>.</param>
    /// <exception cref="UserErrorException">The name is taken, or the runtime directory is no good.</exception>
    /// <exception cref="LinuxException">The path is taken, or its directory refused.</exception>
    public static ControlSocket Open(string? name, string? path)
    {
        if (path is not null)
        {
            return new ControlSocket(name ?? DefaultName, path == None ? null : Listen(path));
        }

        RuntimeDirectory.Prepare();

        // ORDER: one at a time: between finding a dead socket and replacing it nobody else may do the same.
        using FileDescriptor directory = PrivateDirectory.Lock(RuntimeDirectory.Path);
        if (name is not null)
        {
            return TryOpen(name) ?? throw new UserErrorException($"A machine named {name} runs already: choose another --name, or end that one with `vmm stop {name}`.");
        }

        return Enumerable.Range(1, MostNames).Select(i => TryOpen(i == 1 ? DefaultName : $"{DefaultName}-{i}")).FirstOrDefault(found => found is not null)
            ?? throw new UserErrorException($"{MostNames} machines without a name run already: give this one a --name.");
    }

    /// <summary>Null, or what is wrong with it as a machine's name: a clause.</summary>
    public static string? Refuse(string name)
        => name.Length is 0 or > 64 ? "a name has 1 to 64 characters"
            : !char.IsAsciiLetterOrDigit(name[0]) || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
                ? "a name has letters, digits, '-', '_' and '.', and begins with a letter or digit"
                : null;

    private static ControlSocket? TryOpen(string name)
    {
        try
        {
            return new ControlSocket(name, Listen(RuntimeDirectory.GetSocket(name)));
        }
        catch (LinuxException e) when (e.Errno == LibC.EADDRINUSE)
        {
            return null;
        }
    }

    private static UnixListener Listen(string path)
        => Encoding.UTF8.GetByteCount(path) <= UnixListener.MaxPath
            ? new UnixListener(path)
            : throw new UserErrorException($"{path} has more than the {UnixListener.MaxPath} bytes that the path of a UNIX socket can have: choose a shorter --qmp PATH.");
}
