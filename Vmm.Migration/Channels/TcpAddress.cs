using System.Net;
using System.Net.Sockets;
using Vmm.Core.Linux;

namespace Vmm.Migration.Channels;

/// <summary>Host and port of a <c>tcp:</c> URI.</summary>
internal static class TcpAddress
{
    /// <summary>Tries the host's addresses one after the other.</summary>
    public static MessageSocket Connect(MigrationUri uri, TimeSpan timeout)
    {
        if (uri.Target.Length == 0 || uri.Number == 0)
        {
            throw new ChannelException($"{uri}: to connect, host and port are needed; write for example tcp:localhost:4444.");
        }

        IPAddress[] addresses = Resolve(uri);
        for (int i = 0; ; i++)
        {
            try
            {
                return StreamSocket.Connect(new IPEndPoint(addresses[i], uri.Number), (int)timeout.TotalMilliseconds);
            }
            catch (LinuxException) when (i < addresses.Length - 1)
            {
                // The next one.
            }
        }
    }

    public static ListeningSocket Listen(MigrationUri uri)
        => ListeningSocket.Listen(new IPEndPoint(uri.Target.Length == 0 ? IPAddress.Any : Resolve(uri)[0], uri.Number));

    private static IPAddress[] Resolve(MigrationUri uri)
    {
        if (IPAddress.TryParse(uri.Target, out IPAddress? literal))
        {
            return [literal];
        }

        try
        {
            return Dns.GetHostAddresses(uri.Target) is { Length: > 0 } found ? found : throw new ChannelException($"{uri}: the host {uri.Target} has no address.");
        }
        catch (SocketException e)
        {
            throw new ChannelException($"{uri}: the host {uri.Target} is unknown: {e.Message}.", e);
        }
    }
}
