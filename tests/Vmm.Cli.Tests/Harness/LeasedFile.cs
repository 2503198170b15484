using Tmds.Linux;

namespace Vmm.Cli.Tests.Harness;

/// <summary>A regular file whose opening by somebody else waits: this process has a write lease on it (fcntl(2), F_SETLEASE).</summary>
internal sealed class LeasedFile : IDisposable
{
    private const int F_SETSIG = 10;
    private const int F_SETLEASE = 1024;
    private const int F_GETLEASE = 1025;
    private const int F_WRLCK = 1;
    private const int SIGURG = 23; // ignored where nobody asks for it, unlike SIGIO

    private readonly FileStream _file;

    public LeasedFile(string path)
    {
        File.WriteAllBytes(path, new byte[4096]);
        _file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        _ = LibC.fcntl(Number, F_SETSIG, SIGURG);
        Assert.SkipWhen(LibC.fcntl(Number, F_SETLEASE, F_WRLCK) != 0, $"{path} can't have a lease: its file system has none.");
        Path = path;
    }

    public string Path { get; }

    /// <summary>Somebody waits in open(2), for as long as /proc/sys/fs/lease-break-time says.</summary>
    public bool IsAwaited => LibC.fcntl(Number, F_GETLEASE) != F_WRLCK;

    private int Number => (int)_file.SafeFileHandle.DangerousGetHandle();

    public void Dispose() => _file.Dispose();
}
