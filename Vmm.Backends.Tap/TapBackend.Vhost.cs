using System.Globalization;
using Tmds.Linux;
using Vmm.Core.Linux;
using Vmm.Core.Memory;
using Vmm.Core.Network;

namespace Vmm.Backends.Tap;

// The kernel runs the rings (vhost-net): one open file of /dev/vhost-net for each queue pair.
public sealed partial class TapBackend
{
    /// <summary>What vhost is opened by.</summary>
    public const string VhostPath = Vhost.DevicePath;

    /// <summary>Whether the kernel moves the frames.</summary>
    public bool UsesVhost => _queues[0].RingProcessor is not null;

    /// <inheritdoc/>
    public void UseMemory(GuestMemory memory)
    {
        foreach (TapQueue queue in _queues)
        {
            queue.Vhost?.UseMemory(memory);
        }
    }

    /// <summary>Looks whether <c>vhost=on</c> would work.</summary>
    /// <exception cref="LinuxException">The device can't be opened.</exception>
    /// <exception cref="NetworkBackendException">It lacks something.</exception>
    public static void CheckVhost() => DisposeAll(OpenVhost(1));

    private static VhostDescriptor[] OpenVhost(int count) => MakeVhost(count, _ =>
    {
        VhostDescriptor descriptor = VhostDescriptor.Open();
        try
        {
            Check(descriptor.TryGetFeatures() ?? throw VhostErrors.OpenDevice(LibC.errno));
            return descriptor;
        }
        catch
        {
            descriptor.Dispose();
            throw;
        }
    });

    /// <summary>Takes over descriptors that were inherited or received; on a failure they are left as they are.</summary>
    /// <exception cref="NetworkBackendException">A descriptor is not what is needed.</exception>
    private static VhostDescriptor[] AdoptVhost(IReadOnlyList<int> fds)
    {
        VhostDescriptor[] descriptors = [.. fds.Select(fd => new VhostDescriptor(fd))];
        try
        {
            for (int i = 0; i < fds.Count; i++)
            {
                if (descriptors[i].TryGetFeatures() is not { } features)
                {
                    int errno = LibC.errno;
                    string? target = new FileInfo($"/proc/self/fd/{fds[i].ToString(CultureInfo.InvariantCulture)}").LinkTarget;
                    throw VhostErrors.NotVhost(fds[i], errno, target);
                }

                Check(features);
                LinuxException.ThrowIfFailed(LibC.fcntl(fds[i], LibC.F_SETFD, LibC.FD_CLOEXEC), "fcntl(F_SETFD, FD_CLOEXEC)", $"vhostfd={fds[i]}");
            }

            return descriptors;
        }
        catch
        {
            Array.ForEach(descriptors, descriptor => descriptor.SetHandleAsInvalid());
            throw;
        }
    }

    private static VhostDescriptor[] MakeVhost(int count, Func<int, VhostDescriptor> make)
    {
        VhostDescriptor[] descriptors = new VhostDescriptor[count];
        try
        {
            for (int i = 0; i < count; i++)
            {
                descriptors[i] = make(i);
            }

            return descriptors;
        }
        catch
        {
            DisposeAll(descriptors);
            throw;
        }
    }

    /// <summary>Lets the kernel run the rings; the descriptors are the back end's from now on.</summary>
    private TapBackend With(VhostDescriptor[] descriptors, bool areInUse = false)
    {
        for (int i = 0; i < descriptors.Length; i++)
        {
            _queues[i].Vhost = new VhostQueue(descriptors[i], _descriptors[i], areInUse);
        }

        return this;
    }

    private static void Check(ulong features)
    {
        ulong missing = VhostDescriptor.NeededFeatures & ~features;
        if (missing != 0)
        {
            throw VhostErrors.Lacks(missing);
        }
    }

    private static void DisposeAll(IEnumerable<VhostDescriptor?> descriptors)
    {
        foreach (VhostDescriptor? descriptor in descriptors)
        {
            descriptor?.Dispose();
        }
    }
}
