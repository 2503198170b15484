using System.Diagnostics;

namespace Vmm.Core.Tests.Devices.VirtioBlock;

/// <summary>A file system on storage with blocks of 4096 bytes (ext2 on a loop device), which can neither punch holes nor zero a range.</summary>
internal sealed class LargeBlockFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("vmm-blocks-");
    private readonly string? _device;

    public LargeBlockFolder()
    {
        string storage = System.IO.Path.Combine(_folder.FullName, "storage");
        using (FileStream file = File.Create(storage))
        {
            file.SetLength(32 << 20);
        }

        Directory.CreateDirectory(Path);
        _device = Run("mke2fs", "-q", "-t", "ext2", "-b", "4096", storage) is null ? null : Run("losetup", "--sector-size", "4096", "--find", "--show", storage)?.Trim();
        if (_device is null || Run("mount", _device, Path) is null)
        {
            Dispose();
            Assert.Skip("mke2fs, losetup and mount are needed, and root");
        }
    }

    public string Path => System.IO.Path.Combine(_folder.FullName, "mounted");

    public void Dispose()
    {
        if (_device is not null)
        {
            Run("umount", Path);
            Run("losetup", "--detach", _device);
        }

        _folder.Delete(recursive: true);
    }

    /// <summary>What it prints; null when it fails.</summary>
    private static string? Run(string program, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? output : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
