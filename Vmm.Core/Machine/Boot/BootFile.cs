using Microsoft.Win32.SafeHandles;
using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Core.Machine.Boot;

internal sealed class BootFile : BootImage
{
    private readonly SafeFileHandle _file;

    public BootFile(string path) : base(path)
    {
        CheckType(path);

        try
        {
            _file = File.OpenHandle(path);
            Length = (ulong)RandomAccess.GetLength(_file);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new BootException(path, "there is no such file", "Check the path.", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new BootException(path, "it may not be read", "Check the file's permissions.", e);
        }
        catch (IOException e) when (e.HResult == LibC.EMFILE)
        {
            throw new BootException(path, "it can't be opened", LinuxException.FilesAdvice, e);
        }
        catch (Exception e) when (e is IOException or NotSupportedException or ArgumentException)
        {
            _file?.Dispose();
            throw new BootException(path, $"it can't be opened as a file ({e.Message})", "Give a regular file.", e);
        }

        if (Length == 0)
        {
            _file.Dispose();
            throw new BootException(path, "it is empty", "Give a file with content.");
        }
    }

    public override ulong Length { get; }

    public override void Read(ulong offset, scoped Span<byte> target)
    {
        while (!target.IsEmpty)
        {
            int count;
            try
            {
                count = RandomAccess.Read(_file, target, checked((long)offset));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new BootException(Name, $"reading {target.Length} bytes at offset {offset} failed ({e.Message})", "Check the file and its disk.", e);
            }

            if (count == 0)
            {
                throw new BootException(Name, $"it ends before the {target.Length} bytes at offset {offset}", "The file is cut off: build or copy it again.");
            }

            offset += (ulong)count;
            target = target[count..];
        }
    }

    public override void Dispose()
    {
        _file.Dispose();
        base.Dispose();
    }

    /// <summary>Before it is opened, which a FIFO that nobody writes to would never return from.</summary>
    private static void CheckType(string path)
    {
        bool found = FileStatus.TryGet(path, followLink: true, out stat status);
        mode_t type = status.st_mode & LibC.S_IFMT;
        if (!found || type == LibC.S_IFREG)
        {
            return;
        }

        throw type == LibC.S_IFDIR ? new BootException(path, "it is a directory", "Give the file itself.")
            : type == LibC.S_IFIFO ? new BootException(path, "it is a FIFO (pipe)", "Write what comes out of it to a file, and give that.")
            : type == LibC.S_IFCHR ? new BootException(path, "it is a character device", "Give a regular file.")
            : type == LibC.S_IFBLK ? new BootException(path, "it is a block device", "Copy what is on it to a file, and give that.")
            : new BootException(path, "it is no regular file", "Give a regular file.");
    }
}
