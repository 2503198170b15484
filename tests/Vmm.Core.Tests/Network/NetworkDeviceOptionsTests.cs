using Vmm.Core.Network;

namespace Vmm.Core.Tests.Network;

public sealed class NetworkDeviceOptionsTests
{
    [Fact]
    public void Parse_Everything_IsAllThere()
    {
        NetworkDeviceOptions options = NetworkDeviceOptions.Parse("tap,id=net0,ifname=vmtap0,queues=2,mac=52:54:00:AB:34:56,mtu=9000,sndbuf=200000,iothread=shared");
        options.Should().BeEquivalentTo(new NetworkDeviceOptions
        {
            Kind = NetworkBackendKind.Tap,
            Id = "net0",
            IfName = "vmtap0",
            Queues = 2,
            Mac = new MacAddress(0x5254_00ab_3456),
            Mtu = 9000,
            SendBuffer = 200_000,
            Threads = NetworkThreads.Shared,
        });
    }

    [Fact]
    public void Parse_KindOnly_HasDefaults()
    {
        NetworkDeviceOptions.Parse("none").Should().BeEquivalentTo(new NetworkDeviceOptions { Kind = NetworkBackendKind.None });
        NetworkDeviceOptions.Parse("tap").Should().BeEquivalentTo(new NetworkDeviceOptions { Kind = NetworkBackendKind.Tap, Queues = 1, Threads = NetworkThreads.PerQueue });
    }

    [Fact]
    public void Parse_Descriptors_AreTheQueues()
    {
        NetworkDeviceOptions one = NetworkDeviceOptions.Parse("tap,fd=7");
        (one.Queues, one.IfName).Should().Be((1, null));
        one.Fds.Should().Equal(7);
        NetworkDeviceOptions two = NetworkDeviceOptions.Parse("tap,fds=7:8,queues=2");
        two.Queues.Should().Be(2);
        two.Fds.Should().Equal(7, 8);
    }

    [Fact]
    public void Parse_Vhost_IsOnWhereSaid()
    {
        NetworkDeviceOptions.Parse("tap").Vhost.Should().BeFalse();
        NetworkDeviceOptions.Parse("tap,vhost=off").Vhost.Should().BeFalse();
        NetworkDeviceOptions.Parse("tap,vhost=on,queues=2").Vhost.Should().BeTrue();
        NetworkDeviceOptions passed = NetworkDeviceOptions.Parse("tap,ifname=t0,queues=2,vhostfds=7:8");
        passed.Vhost.Should().BeTrue("whoever passes descriptors wants them used");
        passed.VhostFds.Should().Equal(7, 8);
        NetworkDeviceOptions.Parse("tap,vhost=on,fd=3,vhostfd=4").Fds.Should().Equal(3);
    }

    [Fact]
    public void Parse_Sockets_HavePaths()
    {
        NetworkDeviceOptions dgram = NetworkDeviceOptions.Parse("unix-dgram,path=/tmp/a,peer=/tmp/b=c");
        (dgram.Kind, dgram.Path, dgram.Peer).Should().Be((NetworkBackendKind.UnixDatagram, "/tmp/a", "/tmp/b=c"));
        NetworkDeviceOptions stream = NetworkDeviceOptions.Parse("unix-stream,path=/tmp/a");
        (stream.Kind, stream.Path).Should().Be((NetworkBackendKind.UnixStream, "/tmp/a"));
    }

    [Theory]
    [InlineData("", "'' is no back end. Use tap, none, unix-dgram or unix-stream first*")]
    [InlineData("user", "'user' is no back end*")]
    [InlineData("tap,vnet=on", "'vnet' is no option of tap. Known are: id, ifname, fd, fds, queues, mac, mtu, sndbuf, vhost, vhostfd, vhostfds, iothread.")]
    [InlineData("tap,vhost=yes", "vhost=yes is neither on nor off.")]
    [InlineData("none,vhost=on", "'vhost' is no option of none*")]
    [InlineData("tap,vhost=off,vhostfd=5", "'vhostfd' does not go with vhost=off.")]
    [InlineData("tap,vhostfd=5,vhostfds=6", "'vhostfds' does not go with vhostfd=: give one of them.")]
    [InlineData("tap,queues=2,vhostfd=5", "vhostfd= has 1 descriptor for 2 queue pairs; each needs its own.")]
    [InlineData("tap,fd=5,vhostfds=6:7", "vhostfds= has 2 descriptors for 1 queue pair; each needs its own.")]
    [InlineData("tap,fds=5:6,vhostfds=7:6", "vhostfds= names descriptor 6, which is the TAP's.")]
    [InlineData("tap,vhostfds=7:7", "vhostfds=7:7 names descriptor 7 twice; each queue needs its own.")]
    [InlineData("tap,vhostfds=7,8", "'8' is no option of tap*")]
    [InlineData("tap,vhostfds=7:x,queues=2", "vhostfds=7:x: 'x' is no descriptor's number; separate them by ':', as in vhostfds=7:8.")]
    [InlineData("none,ifname=a", "'ifname' is no option of none. Known are: id, queues, mac, mtu, iothread.")]
    [InlineData("tap,queues=2,queues=2", "'queues' is given twice.")]
    [InlineData("tap,ifname", "'ifname' lacks a value: write ifname=...")]
    [InlineData("tap,ifname=", "'ifname' lacks a value: write ifname=...")]
    [InlineData("tap,,id=a", "'' is no option of tap*")]
    [InlineData("tap,id=a b", "id=a b may hold*")]
    [InlineData("tap,ifname=sixteencharacter", "ifname=sixteencharacter has 16 characters*15 at most.")]
    [InlineData("tap,queues=0", "queues=0 is not a number from 1 to 16.")]
    [InlineData("tap,queues=17", "queues=17 is not a number from 1 to 16.")]
    [InlineData("tap,queues=-1", "queues=-1 is not*")]
    [InlineData("tap,queues= 1", "queues= 1 is not*")]
    [InlineData("tap,queues=99999999999", "queues=99999999999 is not*")]
    [InlineData("tap,mtu=67", "mtu=67 is not a number from 68 to 65521.")]
    [InlineData("tap,mtu=65522", "mtu=65522 is not a number from 68 to 65521.")]
    [InlineData("none,mtu=65536", "mtu=65536 is not a number from 68 to 65535.")]
    [InlineData("tap,sndbuf=0", "sndbuf=0 is not a number of bytes from 1 to 2147483647.")]
    [InlineData("tap,sndbuf=64K", "sndbuf=64K is not a number of bytes from 1 to 2147483647.")]
    [InlineData("tap,fd=7,sndbuf=100", "'sndbuf' does not go with fd=*")]
    [InlineData("none,sndbuf=100", "'sndbuf' is no option of none*")]
    [InlineData("tap,mac=52:54:00:12:34", "mac=52:54:00:12:34 is no Ethernet address*")]
    [InlineData("tap,mac=5254:00:12:34:56:78", "*no Ethernet address*")]
    [InlineData("tap,mac=53:54:00:12:34:56", "mac=53:54:00:12:34:56 is a multicast address*")]
    [InlineData("tap,mac=ff:ff:ff:ff:ff:ff", "*multicast*")]
    [InlineData("tap,mac=00:00:00:00:00:00", "mac=00:00:00:00:00:00 is no address for a device*")]
    [InlineData("tap,iothread=two", "iothread=two is neither per-queue nor shared.")]
    [InlineData("tap,fd=x", "fd=x: 'x' is no descriptor's number.")]
    [InlineData("tap,fd=7:8", "fd=7:8: '7:8' is no descriptor's number.")]
    [InlineData("tap,fds=7:", "fds=7:: '' is no descriptor's number; separate them by ':', as in fds=7:8.")]
    [InlineData("tap,fds=7:8:7", "fds=7:8:7 names descriptor 7 twice; each queue needs its own.")]
    [InlineData("tap,fds=3:4:5:6:7:8:9:10:11:12:13:14:15:16:17:18:19", "*has 17 descriptors; 16 queues is the most.")]
    [InlineData("tap,fd=7,fds=8", "'fds' does not go with fd=: a descriptor is open already.")]
    [InlineData("tap,fd=7,ifname=a", "'ifname' does not go with fd=: a descriptor is open already.")]
    [InlineData("tap,fds=7:8,queues=3", "queues=3 does not fit 2 descriptors*")]
    [InlineData("unix-dgram", "'path' (or 'fd') is missing*")]
    [InlineData("unix-dgram,path=a", "'peer' is missing*")]
    [InlineData("unix-stream,peer=a", "'peer' is no option of unix-stream*")]
    public void Parse_Wrong_SaysWhatAndWhere(string text, string message)
    {
        FluentActions.Invoking(() => NetworkDeviceOptions.Parse(text)).Should().Throw<FormatException>().WithMessage($"--net {text}: {message}");
        NetworkDeviceOptions.TryParse(text, out NetworkDeviceOptions? options, out _).Should().BeFalse();
        options.Should().BeNull();
    }

    [Fact]
    public void Parse_LongPath_SaysSo()
        => FluentActions.Invoking(() => NetworkDeviceOptions.Parse($"unix-stream,path=/{new string('x', 107)}")).Should().Throw<FormatException>().WithMessage("*is too long: a socket's path has 107 bytes at most.");

    [Theory]
    [InlineData("tap,id=net0,ifname=vmtap0,queues=2,mac=52:54:00:ab:34:56,mtu=9000,sndbuf=200000,vhost=on,iothread=shared")]
    [InlineData("tap,ifname=vmtap0")]
    [InlineData("unix-dgram,path=/a,peer=/b")]
    public void Format_WhatWasParsed_IsTheSame(string text) => NetworkDeviceOptions.Parse(text).Format().Should().Be(text);

    [Fact]
    public void Format_Descriptors_AreLeftOut() => NetworkDeviceOptions.Parse("tap,ifname=t0,vhostfd=7").Format().Should().Be("tap,ifname=t0,vhost=on");
}
