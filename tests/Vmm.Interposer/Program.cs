using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Tmds.Linux;
using Vmm.Core.Linux;

[assembly: SupportedOSPlatform("linux")]

namespace Vmm.Interposer;

/// <summary>
/// What a test gives to a live update as the new binary. It sends its end of the migration channel to the test, gets another one back, and
/// becomes the real binary on that: the test stands between source and destination, and the process that the source has started is the
/// destination itself.
/// </summary>
internal static unsafe class Program
{
    private const int Channel = 3;

    /// <summary>Path of the test's listening socket.</summary>
    private const string SocketVariable = "VMM_INTERPOSER_SOCKET";

    /// <summary>Path of the real binary.</summary>
    private const string BinaryVariable = "VMM_INTERPOSER_BINARY";

    private static int Main(string[] arguments)
    {
        string binary = Environment.GetEnvironmentVariable(BinaryVariable)!;
        using (FileDescriptor other = Exchange(Environment.GetEnvironmentVariable(SocketVariable)!))
        {
            // dup2 also clears close-on-exec.
            LinuxException.ThrowIfFailed(LibC.dup2(other.Number, Channel), "dup2", "the channel");
        }

        byte** argv = (byte**)NativeMemory.AllocZeroed((nuint)arguments.Length + 2, (nuint)sizeof(byte*));
        argv[0] = (byte*)Marshal.StringToCoTaskMemUTF8(binary);
        for (int i = 0; i < arguments.Length; i++)
        {
            argv[i + 1] = (byte*)Marshal.StringToCoTaskMemUTF8(arguments[i]);
        }

        _ = Libc.execv(argv[0], argv);
        throw new LinuxException("execv", binary, LibC.errno);
    }

    /// <summary>Gives the channel, with this process's id, for another one.</summary>
    private static FileDescriptor Exchange(string path)
    {
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(path));
        using MessageSocket test = new(LinuxException.ThrowIfFailed(LibC.dup((int)socket.Handle), "dup", path));
        Span<byte> id = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(id, Environment.ProcessId);
        using FileDescriptor channel = new(Channel);
        _ = LinuxException.ThrowIfFailed(test.Send(id, default, [channel]), "sendmsg", path);

        List<FileDescriptor> received = [];
        test.Wait(LibC.POLLIN, -1);
        _ = LinuxException.ThrowIfFailed(test.Receive(stackalloc byte[1], received), "recvmsg", path);
        return received[0];
    }
}
