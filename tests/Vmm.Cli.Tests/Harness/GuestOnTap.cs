using System.Net;
using System.Net.Sockets;
using Vmm.Backends.Tap;
using Vmm.Cli.Demo;
using Vmm.DemoGuest;
using Vmm.Testing.Network;

namespace Vmm.Cli.Tests.Harness;

/// <summary><c>vmm run</c> of the demo guest, or of another, on a TAP in a network namespace of the test's own, and the host's end of the wire.</summary>
internal sealed class GuestOnTap : IDisposable
{
    public const string Interface = "t0";
    public static readonly IPAddress GuestAddress = IPAddress.Parse("10.0.0.2");
    private static readonly IPAddress _hostAddress = IPAddress.Parse("10.0.0.1");

    /// <summary>More for every <c>--net</c> of these tests: VMM_TEST_NET=vhost=on has them run where the kernel moves the frames.</summary>
    private static readonly string[] _net = (Environment.GetEnvironmentVariable("VMM_TEST_NET") ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries);

    private GuestOnTap(NetworkTestbed network, VmmProcess process)
    {
        Network = network;
        Process = process;
    }

    public NetworkTestbed Network { get; }

    public VmmProcess Process { get; }

    /// <summary>Starts it and waits until the guest answers.</summary>
    /// <param name="net">More for <c>--net tap,ifname=t0</c>: <c>queues=4</c>.</param>
    /// <param name="append">More for the guest's command line.</param>
    /// <param name="options">More options of <c>vmm run</c>.</param>
    public static GuestOnTap Start(string net = "", string append = "", params string[] options) => StartKernel("demo", net, append, options);

    /// <summary>The same with another kernel, which has to answer at the same address.</summary>
    public static GuestOnTap StartKernel(string kernel, string net = "", string append = "", params string[] options)
    {
        NetworkTestbed network = new();
        VmmProcess process = StartProcess(network, kernel, net, append, options);
        GuestOnTap guest = new(network, process);
        try
        {
            guest.SetUpHost();
            return guest;
        }
        catch
        {
            guest.Dispose();
            throw;
        }
    }

    /// <summary>Starts it and does not wait for anything.</summary>
    public static VmmProcess StartProcess(NetworkTestbed network, string kernel = "demo", string net = "", string append = "", params string[] options)
        => VmmProcess.StartIn(
            network.Namespace,
            ["run", "--kernel", kernel, "--memory", "64M", "--append", $"ip={GuestAddress} {append}", "--net", string.Join(',', [$"tap,ifname={Interface}", .. net.Split(',', StringSplitOptions.RemoveEmptyEntries), .. _net]), .. options]);

    public T Open<T>(Func<T> function) => Network.Namespace.Run(function);

    public DemoGuestStatus RequestStatus()
    {
        using Socket socket = Network.OpenUdp();
        socket.ReceiveTimeout = 20_000;
        socket.Connect(new IPEndPoint(GuestAddress, DemoGuestStatus.Port));
        socket.Send(ReadOnlySpan<byte>.Empty);
        byte[] answer = new byte[DemoGuestStatus.Size];
        return DemoGuestStatus.TryParse(answer.AsSpan(0, socket.Receive(answer)))!;
    }

    public void Dispose()
    {
        Process.Dispose();
        Network.Dispose();
    }

    private void SetUpHost()
    {
        Wait.Until(() => Network.FindLink(Interface) is { IsUp: true } || Process.HasExited, () => $"interface {Interface}; vmm says: {Process.Error}");
        Network.Namespace.Run(() => NetworkLink.AddIPAddress(Interface, _hostAddress, 24));
        using IcmpEchoClient ping = Open(() => new IcmpEchoClient(GuestAddress));
        Wait.Until(
            () => ping.Run(1, 1, 56, TimeSpan.FromMilliseconds(50)).Answered == 1 || Process.HasExited,
            () => $"the first ping answer; vmm says: {Process.Output}\n{Process.Error}");
        Assert.False(Process.HasExited, Process.Error);
    }
}
