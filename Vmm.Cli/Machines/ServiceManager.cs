using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Vmm.Cli.Machines;

/// <summary>systemd, or whoever else has started vmm as a service and listens on $NOTIFY_SOCKET (sd_notify(3)).</summary>
internal static class ServiceManager
{
    private const string Variable = "NOTIFY_SOCKET";

    /// <summary>Whether there is one.</summary>
    public static bool Listens => Environment.GetEnvironmentVariable(Variable) is { Length: > 1 };

    /// <summary>The guest runs.</summary>
    public static void TellReady() => Tell("READY=1");

    /// <summary>The guest is about to end with vmm.</summary>
    public static void TellStopping() => Tell("STOPPING=1");

    /// <summary>The service goes on in another process. To be said by the one that has been its main process until now.</summary>
    public static void TellMainProcess(int id) => Tell(string.Create(CultureInfo.InvariantCulture, $"MAINPID={id}"));

    private static void Tell(string state)
    {
        if (!Listens)
        {
            return;
        }

        string path = Environment.GetEnvironmentVariable(Variable)!;
        try
        {
            using Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            socket.SendTo(Encoding.UTF8.GetBytes(state), new UnixDomainSocketEndPoint(path[0] == '@' ? $"\0{path[1..]}" : path));
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            // It has gone, or was never there: the guest has nothing to do with that.
        }
    }
}
