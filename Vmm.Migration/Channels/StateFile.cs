using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Migration.Channels;

/// <summary>
/// A file that a machine is written into. It gets its name when it is whole, so that a failure leaves neither half a machine nor takes away
/// the one that was there. Only its owner may read it: the guest's memory is in it.
/// </summary>
internal sealed class StateFile : IDisposable
{
    private readonly string _path;
    private readonly string? _temporary;
    private bool _complete;

    private StateFile(string path, string? temporary, ByteDescriptor bytes)
    {
        _path = path;
        _temporary = temporary;
        Bytes = bytes;
    }

    public ByteDescriptor Bytes { get; }

    /// <exception cref="ChannelException">It can't be made.</exception>
    public static StateFile Create(string path)
    {
        try
        {
            string target = new FileInfo(path).LinkTarget is null ? path : File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName;
            if (File.Exists(target) && !IsRegular(target))
            {
                return new StateFile(target, null, Take(FileDescriptor.Open(target, LibC.O_WRONLY | LibC.O_NONBLOCK))); // a named pipe, a device
            }

            string temporary = $"{target}.{Environment.ProcessId}.part";
            return new StateFile(target, temporary, ByteDescriptor.CreateFile(temporary));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new ChannelException($"file:{path} can't be written: {e.Message} Choose a file in a folder that exists and that you may write to.", e);
        }
    }

    /// <exception cref="ChannelException">It is not there, or may not be read.</exception>
    public static ByteDescriptor OpenForReading(string path)
    {
        try
        {
            return Directory.Exists(path) ? throw new ChannelException($"file:{path} is a folder.") : Take(FileDescriptor.Open(path, LibC.O_RDONLY));
        }
        catch (LinuxException e)
        {
            throw new ChannelException($"file:{path} can't be read: {e.Message}", e);
        }
    }

    /// <summary>Gives it its name.</summary>
    public void Complete()
    {
        if (_temporary is not null)
        {
            Bytes.Flush(_path);
            File.Move(_temporary, _path, overwrite: true);
        }

        _complete = true;
    }

    public void Dispose()
    {
        Bytes.Dispose();
        if (!_complete && _temporary is not null)
        {
            File.Delete(_temporary);
        }
    }

    private static bool IsRegular(string path)
    {
        using FileDescriptor probe = FileDescriptor.Open(path, LibC.O_PATH);
        return ByteDescriptor.Probe(probe.Number) == DescriptorKind.File;
    }

    private static ByteDescriptor Take(FileDescriptor file)
    {
        int fd = file.Number;
        file.SetHandleAsInvalid();
        return new ByteDescriptor(fd);
    }
}
