using System.Runtime.Versioning;
using Tmds.Linux;
using Vmm.Core.Linux;
using Vmm.Testing.Network;

namespace Vmm.Backends.Tap.Tests;

public sealed class TapPrivilegeTests
{
    [TapFact]
    public void Open_NewNameWithoutPrivilege_GivesTheCommand()
    {
        using NetworkTestbed network = new();
        Opening(network, new TapOptions { Name = "t0", Queues = 2 }).Should().Throw<LinuxException>()
            .WithMessage("ioctl(TUNSETIFF) on interface t0 failed: Operation not permitted (errno 1). Making an interface needs CAP_NET_ADMIN. "
                + "Make it once for yourself: `sudo ip tuntap add dev t0 mode tap user $USER vnet_hdr multi_queue && sudo ip link set dev t0 up`.");
        network.FindLink("t0").Should().BeNull();
    }

    [TapFact]
    public void Open_OwnWithoutPrivilege_Works()
    {
        using NetworkTestbed network = new();
        PersistentTap.Make(network, "t0", queues: 2, owner: 0);
        Opening(network, new TapOptions { Name = "t0", Queues = 2 }).Should().NotThrow();
    }

    [TapFact]
    public void Open_OthersWithoutPrivilege_NamesTheOwner()
    {
        using NetworkTestbed network = new();
        PersistentTap.Make(network, "t0", queues: 1, owner: 1234);
        Opening(network, new TapOptions { Name = "t0" }).Should().Throw<LinuxException>().WithMessage("*(errno 1). It belongs to user 1234. Make one for yourself under another name*");
    }

    [TapFact]
    [SupportedOSPlatform("linux")]
    public void Open_DeviceNotAccessible_SaysSo()
    {
        Assert.SkipWhen((File.GetUnixFileMode(Tun.DevicePath) & UnixFileMode.OtherWrite) != 0, "/dev/net/tun may be opened by everybody here");
        FluentActions.Invoking(() => Unprivileged.Run(() => TunDescriptor.Open().Dispose(), asNobody: true)).Should().Throw<LinuxException>()
            .WithMessage("open on /dev/net/tun failed: Permission denied (errno 13). Run as root, let everybody open it with `sudo chmod 0666 /dev/net/tun`*");
    }

    [TapFact]
    public void Adopt_WithoutPrivilege_FindsMtuByNameAndAddress()
    {
        using NetworkTestbed network = new();
        using TapBackend first = network.OpenTap(new TapOptions { Name = "t0", Mtu = 2000 });
        int inside = PersistentTap.Detach(first.Descriptors[0]);
        network.Namespace.Run(() => Unprivileged.Run(() =>
        {
            using TapBackend adopted = TapBackend.Adopt(inside);
            adopted.Mtu.Should().Be(2000);
        }));
        int outside = PersistentTap.Detach(first.Descriptors[0]);
        Unprivileged.Run(() =>
        {
            using TapBackend adopted = TapBackend.Adopt(outside);
            adopted.Mtu.Should().BeNull("its namespace is out of reach");
            adopted.GetQueue(0).MaxFrameSize.Should().Be(12 + 14 + 8 + 65521);
        });
    }

    [TapFact]
    public void Namespace_WithoutPrivilege_SaysSo()
    {
        FluentActions.Invoking(() => Unprivileged.Run(() => NetworkNamespace.Create().Dispose())).Should().Throw<LinuxException>()
            .WithMessage("unshare(CLONE_NEWNET) on a new network namespace failed: Operation not permitted (errno 1). It needs CAP_SYS_ADMIN*");
        UserNamespace.IsNeeded.Should().BeFalse();
        Unprivileged.Run(() => UserNamespace.IsNeeded.Should().BeTrue());
    }

    [TapFact]
    public void LinkChange_WithoutPrivilege_SaysSo()
        => FluentActions.Invoking(() => Unprivileged.Run(() => NetworkLink.SetUp("lo"))).Should().Throw<LinuxException>()
            .Where(e => e.Errno == LibC.EPERM).WithMessage("netlink on a request to set lo up failed*It needs CAP_NET_ADMIN*");

    private static Action Opening(NetworkTestbed network, TapOptions options)
        => () => network.Namespace.Run(() => Unprivileged.Run(() => TapBackend.Open(options).Dispose()));
}
