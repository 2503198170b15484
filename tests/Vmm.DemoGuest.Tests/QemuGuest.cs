using System.Diagnostics;

namespace Vmm.DemoGuest.Tests;

/// <summary>Runs the guest in QEMU until it ends by itself.</summary>
internal static class QemuGuest
{
    /// <summary>Why the guest can't be run in QEMU here, or null.</summary>
    public static string? Missing()
    {
        if (!File.Exists("/usr/bin/qemu-system-x86_64"))
        {
            return "needs /usr/bin/qemu-system-x86_64 (apt install qemu-system-x86)";
        }
        try
        {
            using FileStream kvm = File.Open("/dev/kvm", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "needs access to /dev/kvm: " + e.Message;
        }
    }

    /// <summary>Exit status of QEMU and what the guest wrote to its serial port.</summary>
    public static async Task<(int Status, string Output)> RunAsync(string commandLine, params string[] more)
    {
        string? missing = Missing();
        if (missing is not null)
        {
            Assert.Skip(missing);
        }
        string file = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(file, DemoGuestImage.Build());
            using Process qemu = Start(file, commandLine, more);
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            try
            {
                string output = await qemu.StandardOutput.ReadToEndAsync(limit.Token);
                await qemu.WaitForExitAsync(limit.Token);
                return (qemu.ExitCode, output);
            }
            finally
            {
                qemu.Kill();
            }
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Starts QEMU with a kernel; its serial port is the process's standard output.</summary>
    public static Process Start(string kernel, string commandLine, params string[] more)
    {
        var start = new ProcessStartInfo("/usr/bin/qemu-system-x86_64") { RedirectStandardOutput = true, RedirectStandardInput = true };
        string[] arguments =
        [
            "-M", "microvm,accel=kvm,x-option-roms=off,acpi=off", "-cpu", "qemu64,pni=off", "-m", "32M",
            "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-global", "virtio-mmio.force-legacy=false",
            "-device", "isa-debug-exit,iobase=0x501,iosize=1", "-serial", "stdio", "-kernel", kernel, "-append", commandLine, .. more,
        ];
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }
        return Process.Start(start)!;
    }
}
