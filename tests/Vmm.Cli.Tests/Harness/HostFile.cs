using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Cli.Tests.Harness;

/// <summary>Open files of kinds that do not belong where they are put.</summary>
internal static class HostFile
{
    public static FileDescriptor Null() => FileDescriptor.Open("/dev/null", LibC.O_RDWR);

    /// <summary>/dev/net/tun without an interface.</summary>
    public static FileDescriptor Unattached() => FileDescriptor.Open("/dev/net/tun", LibC.O_RDWR);

    public static FileDescriptor Regular(string path)
    {
        File.WriteAllBytes(path, new byte[4096]);
        return FileDescriptor.Open(path, LibC.O_RDWR);
    }

    public static FileDescriptor Socket()
    {
        (MessageSocket first, MessageSocket second) = MessageSocket.CreatePair();
        second.Dispose();
        return first;
    }

    public static FileDescriptor Memory(long size, bool isSealed = true)
    {
        FileDescriptor file = FileDescriptor.CreateMemory("wrong", 0, "wrong");
        LinuxException.ThrowIfFailed(LibC.ftruncate(file.Number, size), "ftruncate", "wrong");
        if (isSealed)
        {
            file.Seal("wrong");
        }

        return file;
    }
}
