namespace Vmm.Cli.Tests;

/// <summary>What needs no virtual machine: help, version, and every wrong command line.</summary>
public sealed class CommandLineTests
{
    public CommandLineTests() => Host.RequireBinary();

    [Fact]
    public void Version_IsPrinted()
    {
        (int code, string output, _) = VmmProcess.Run("version");

        code.Should().Be(0);
        output.Should().MatchRegex(@"^vmm \d+\.\d+\.\d+\n$");
        VmmProcess.Run("--version").Output.Should().Be(output);
    }

    [Theory]
    [InlineData("run")]
    [InlineData("demo")]
    [InlineData("demo-guest")]
    [InlineData("doctor")]
    [InlineData("inspect")]
    public void Help_OfACommand_HasExamples(string command)
    {
        (int code, string output, string error) = VmmProcess.Run(command, "--help");

        code.Should().Be(0);
        error.Should().BeEmpty();
        output.Should().Contain("Examples:\n  vmm " + command);
    }

    [Fact]
    public void Help_ShowsTheTableOfExitCodes() => VmmProcess.Run("--help").Output.Should().Contain(ExitCode.Table);

    [Theory]
    [InlineData("Required command", "")]
    [InlineData("'fly' is no command or argument here", "fly")]
    [InlineData("--kernel", "run")]
    [InlineData("'--no-such' is no option here", "run --kernel demo --no-such")]
    [InlineData("--memory 12Q is no size", "run --kernel demo --memory 12Q")]
    [InlineData("--memory 1M is less", "run --kernel demo --memory 1M")]
    [InlineData("--memory 99999999999G is no size", "run --kernel demo --memory 99999999999G")]
    [InlineData("--memory 16777215T is more than 4096T", "run --kernel demo --memory 16777215T")]
    [InlineData("--memory 5M is no multiple of 2M", "run --kernel demo --memory 5M --hugepages")]
    [InlineData("Two --net options have the id x", "run --kernel demo --net none,id=x --net none,id=x")]
    [InlineData("--disk disk.img: 'disk.img' is no option of a disk.", "run --kernel demo --disk disk.img")]
    [InlineData("--disk path=x,cache=x: cache=x is none of writeback, none and unsafe.", "run --kernel demo --disk path=x,cache=x")]
    [InlineData("Two --disk options have the id x", "run --kernel demo --disk path=a,id=x --disk path=b,id=x")]
    [InlineData("--net and --disk have the same id, x;", "run --kernel demo --net none,id=x --disk path=b,id=x")]
    [InlineData("--net and --rng have the same id, rng0;", "run --kernel x --net none,id=rng0")]
    [InlineData("Argument 'maybe' not recognized. Must be one of: 'on' 'off'.", "run --kernel demo --rng maybe")]
    [InlineData("--rng does not go with --incoming", "run --incoming tcp:127.0.0.1:1 --rng off")]
    [InlineData("Two --net options have the id net0", "run --kernel demo --net none --net none,id=net0")]
    [InlineData("net0 and x both name descriptor 7", "run --kernel demo --net tap,fds=6:7 --net tap,fd=7,id=x")]
    [InlineData("net0 and net1 both name descriptor 7", "run --kernel demo --net tap,fd=7 --net unix-stream,fd=7")]
    [InlineData("x and net1 both have ifname=t0", "run --kernel demo --net tap,id=x,ifname=t0 --net tap,ifname=t0")]
    [InlineData("--cpus 0 is not a number", "run --kernel demo --cpus 0")]
    [InlineData("--cpus x is not a number", "run --kernel demo --cpus x")]
    [InlineData("'bridge' is no back end", "run --kernel demo --net bridge")]
    [InlineData("'speed' is no option of tap", "run --kernel demo --net tap,speed=9")]
    [InlineData("queues=17 is not a number", "run --kernel demo --net tap,queues=17")]
    [InlineData("mac=x is no Ethernet address", "run --kernel demo --net tap,mac=x")]
    [InlineData("mac=01:00:5e:00:00:01 is a multicast address", "run --kernel demo --net tap,mac=01:00:5e:00:00:01")]
    [InlineData("mtu=20 is not a number", "run --kernel demo --net tap,mtu=20")]
    [InlineData("mtu=65522 is not a number", "run --kernel demo --net tap,mtu=65522")]
    [InlineData("the kind 'printer' is unknown", "run --kernel demo --console printer")]
    [InlineData("the path is missing", "run --kernel demo --console file")]
    [InlineData("'loud'", "run --kernel demo --log-level loud")]
    [InlineData("--output", "demo-guest")]
    [InlineData("The file is missing", "inspect")]
    [InlineData("--schema is of this program", "inspect --schema x")]
    [InlineData("'c' is no command or argument here", "inspect a b c")]
    public void WrongCommandLine_SaysWhy_AndStartsNothing(string message, string line)
    {
        (int code, string output, string error) = VmmProcess.Run(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        code.Should().Be(ExitCode.Usage);
        output.Should().BeEmpty();
        error.Should().StartWith("vmm: ").And.Contain(message).And.Contain("--help`.\n");
        error.TrimEnd('\n').Should().NotContain("\n");
    }

    [Theory]
    [InlineData("run", "--kernel", "")]
    [InlineData("run", "--kernel", "demo", "--initrd", "")]
    [InlineData("run", "--kernel", "demo", "--name", "")]
    [InlineData("demo-guest", "--output", "")]
    public void EmptyValue_IsRefused(params string[] line)
    {
        (int code, _, string error) = VmmProcess.Run(line);

        code.Should().Be(ExitCode.Usage);
        error.Should().Be($"vmm: {line[^2]} '' is empty; give it a value, or leave it out. See `vmm {line[0]} --help`.\n");
    }

    [Fact]
    public void Help_ShowsTheDefaultMemoryAsItIsWritten() => VmmProcess.Run("run", "--help").Output.Should().Contain("[default: 256M]");

    [Fact]
    public void Net_MoreThanFit_SaysSo()
    {
        (int code, _, string error) = VmmProcess.Run(["run", "--kernel", "demo", .. Enumerable.Repeat("none", 20).SelectMany(word => new[] { "--net", word })]);

        code.Should().Be(ExitCode.Usage);
        error.Should().StartWith("vmm: 20 --net options are more than the 19 devices");
    }

    [Fact]
    public void DemoGuest_Written_IsTheGuestThatRunBoots()
    {
        using TemporaryFolder folder = new();

        VmmProcess.Run("demo-guest", "--output", folder["demo.elf"]).ExitCode.Should().Be(0);

        File.ReadAllBytes(folder["demo.elf"]).Should().Equal(DemoGuest.DemoGuestImage.Build());
    }

    [Fact]
    public void DemoGuest_NoSuchFolder_SaysSo()
    {
        (int code, _, string error) = VmmProcess.Run("demo-guest", "--output", "/no/such/folder/demo.elf");

        code.Should().Be(ExitCode.HostError);
        error.Should().StartWith("vmm: --output /no/such/folder/demo.elf can't be written: ");
    }
}
