using Tmds.Linux;

namespace Vmm.Core.Linux;

/// <summary>One 32-bit word in a memfd that several processes map and change atomically.</summary>
public sealed unsafe class SharedWord : IDisposable
{
    private const int Size = 4096;

    private int* _word;

    private SharedWord(FileDescriptor file, string subject)
    {
        void* page = LibC.mmap(null, Size, LibC.PROT_READ | LibC.PROT_WRITE, LibC.MAP_SHARED | LibC.MAP_POPULATE, file.Number, 0);
        if (page == LibC.MAP_FAILED)
        {
            throw new LinuxException("mmap", subject, LibC.errno);
        }

        File = file;
        _word = (int*)page;
    }

    /// <summary>The memfd; it can be passed to another process.</summary>
    public FileDescriptor File { get; }

    public int Value => Volatile.Read(ref *_word);

    /// <summary>A new word, 0.</summary>
    public static SharedWord Create(string name)
    {
        FileDescriptor file = FileDescriptor.CreateMemory(name, 0, name);
        try
        {
            LinuxException.ThrowIfFailed(LibC.ftruncate(file.Number, Size), "ftruncate", name);
            file.Seal(name);
            return new SharedWord(file, name);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>A word that another process has made. It owns <paramref name="file"/> when this returns.</summary>
    /// <exception cref="LinuxException">The file is none, or could be cut under the mapping.</exception>
    public static SharedWord Adopt(FileDescriptor file, string name)
    {
        file.CheckSealed(Size, name);
        return new SharedWord(file, name);
    }

    /// <summary>Changes the word if it is <paramref name="from"/>; whether it was.</summary>
    public bool TryChange(int from, int to) => Interlocked.CompareExchange(ref *_word, to, from) == from;

    public void Dispose()
    {
        if (_word is not null)
        {
            _ = LibC.munmap(_word, Size);
            _word = null;
        }

        File.Dispose();
    }
}
