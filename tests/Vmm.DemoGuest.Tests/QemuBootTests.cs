namespace Vmm.DemoGuest.Tests;

/// <summary>The guest's own front door: the file boots as it is in a virtual machine monitor that is not ours.</summary>
public sealed class QemuBootTests
{
    [Fact]
    public async Task Boot_WithExitOption_PrintsBannerAndLeavesByDebugExit()
    {
        (int status, string output) = await QemuGuest.RunAsync("exit=5");

        output.Should().Be("demo guest: ring 3, 32 MiB, checking 1024 KiB\r\n");
        status.Should().Be((5 << 1) | 1);
    }

    [Fact]
    public async Task Boot_WithCheckOption_UnderstandsSuffixAndHexadecimal()
    {
        (int status, string output) = await QemuGuest.RunAsync("check=0x2M something=else exit=0x21");

        output.Should().Be("demo guest: ring 3, 32 MiB, checking 2048 KiB\r\n");
        status.Should().Be((0x21 << 1) | 1);
    }

    [Fact]
    public async Task Boot_WithCrashOption_ReportsThePageFault()
    {
        (int status, string output) = await QemuGuest.RunAsync("crash");

        output.Should().MatchRegex(@"demo guest: exception vector 0xe error 0x6 rip 0x[0-9a-f]+ cr2 0x100000000\r\n$");
        status.Should().Be(((DemoGuestImage.ExceptionExit + 14) << 1) | 1);
    }

    [Fact]
    public async Task Boot_WithTripleOption_ResetsTheMachine()
    {
        (int status, string output) = await QemuGuest.RunAsync("triple");

        output.Should().Be("demo guest: ring 3, 32 MiB, checking 1024 KiB\r\n");
        status.Should().Be(0, "QEMU leaves with 0 when the machine resets and -no-reboot is given");
    }
}
