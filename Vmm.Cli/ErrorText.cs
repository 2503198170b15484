using System.ComponentModel;
using System.Net.Sockets;
using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Cli;

/// <summary>What an exception comes to for the user: its own sentence, or one in place of what the runtime says.</summary>
internal static class ErrorText
{
    public static string Describe(Exception exception)
    {
        Exception cause = exception;
        while (cause is TypeInitializationException { InnerException: { } inner })
        {
            cause = inner;
        }

        return cause switch
        {
            LinuxException => cause.Message,
            OutOfMemoryException => $"The host gives vmm no more memory or threads. {LinuxException.ThreadAdvice}",
            SocketException { SocketErrorCode: SocketError.TooManyOpenSockets } => LinuxException.FilesAdvice,
            SocketException => cause.Message,
            Win32Exception e when e.NativeErrorCode == LibC.EMFILE => LinuxException.FilesAdvice,
            Win32Exception e when e.NativeErrorCode == LibC.EAGAIN => LinuxException.ThreadAdvice,
            IOException e when e.HResult == LibC.EMFILE => LinuxException.FilesAdvice,
            IOException e when e.HResult == LibC.EAGAIN => LinuxException.ThreadAdvice,
            _ => cause.Message,
        };
    }
}
