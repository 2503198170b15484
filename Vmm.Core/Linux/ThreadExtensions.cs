using Tmds.Linux;

namespace Vmm.Core.Linux;

/// <summary>Threads as something that the host may refuse.</summary>
public static class ThreadExtensions
{
    /// <summary><see cref="Thread.Start()"/>, which blames the memory for whatever reason pthread_create(3) has.</summary>
    /// <exception cref="LinuxException">EAGAIN: this user, or this control group, may have no more threads.</exception>
    public static void StartOrExplain(this Thread thread)
    {
        try
        {
            thread.Start();
        }
        catch (OutOfMemoryException)
        {
            throw new LinuxException("pthread_create", $"thread {thread.Name}", LibC.EAGAIN, LinuxException.ThreadAdvice);
        }
    }
}
