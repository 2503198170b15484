using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Cli.Qmp;

/// <summary>Where this user's running machines have their QMP sockets, NAME.qmp.</summary>
internal static class RuntimeDirectory
{
    private const string Extension = ".qmp";

    /// <summary>
    /// $XDG_RUNTIME_DIR/vmm where that is set and is this user's; root without it has /run/vmm; the last resort is /tmp/vmm-UID.
    /// </summary>
    public static string Path { get; } = Choose();

    public static string GetSocket(string name) => System.IO.Path.Combine(Path, name + Extension);

    /// <summary>The names for which there is a socket, live or not.</summary>
    public static IReadOnlyList<string> Names
        => PrivateDirectory.IsOwned(Path)
            ? [.. Directory.EnumerateFileSystemEntries(Path, "*" + Extension).Select(file => System.IO.Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal)]
            : [];

    /// <summary>Makes it unless it is there.</summary>
    /// <exception cref="UserErrorException">It can't be used.</exception>
    public static void Prepare()
    {
        if (PrivateDirectory.Prepare(Path) is { } reason)
        {
            throw new UserErrorException($"The directory of the QMP sockets, {Path}, can't be used: {reason}. Set XDG_RUNTIME_DIR to a directory of your own, or give --qmp PATH or --qmp none.");
        }
    }

    private static string Choose()
    {
        if (Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } directory
            && System.IO.Path.IsPathRooted(directory) && PrivateDirectory.IsOwned(directory.TrimEnd('/')))
        {
            return System.IO.Path.Combine(directory.TrimEnd('/'), "vmm");
        }

        // In a user namespace root is somebody else outside, who may not write to /run.
        uint user = (uint)LibC.geteuid();
        return user == 0 && PrivateDirectory.IsWritable("/run") ? "/run/vmm" : $"/tmp/vmm-{user}";
    }
}
