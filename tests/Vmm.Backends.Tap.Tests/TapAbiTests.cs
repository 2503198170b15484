using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using Vmm.Core.Network;

namespace Vmm.Backends.Tap.Tests;

/// <summary>Compiles C against the kernel's headers and compares every number, size and offset.</summary>
public sealed class TapAbiTests
{
    [Fact]
    public void Numbers_AsInHeaders()
    {
        FieldInfo[] fields = [.. typeof(Tun).GetFields(BindingFlags.Public | BindingFlags.Static).Where(f => f.Name is not nameof(Tun.DevicePath) and not nameof(Tun.MAX_TAP_QUEUES))];
        Dictionary<string, ulong> found = Run(string.Join('\n', fields.Select(f => Print(f.Name))));
        foreach (FieldInfo field in fields)
        {
            Convert.ToUInt64(field.GetValue(null), CultureInfo.InvariantCulture).Should().Be(found[field.Name], field.Name);
        }
    }

    [Fact]
    public void Offloads_AsInHeaders()
    {
        Dictionary<string, NetworkOffloads> names = new()
        {
            ["TUN_F_CSUM"] = NetworkOffloads.Checksum,
            ["TUN_F_TSO4"] = NetworkOffloads.Tso4,
            ["TUN_F_TSO6"] = NetworkOffloads.Tso6,
            ["TUN_F_TSO_ECN"] = NetworkOffloads.TsoEcn,
            ["TUN_F_UFO"] = NetworkOffloads.Ufo,
            ["TUN_F_USO4"] = NetworkOffloads.Uso4,
            ["TUN_F_USO6"] = NetworkOffloads.Uso6,
        };

        // Headers before Linux 6.2 lack USO.
        Dictionary<string, ulong> found = Run(string.Join('\n', names.Keys.Select(name => $"#ifdef {name}\n{Print(name)}\n#endif")));
        found.Should().HaveCountGreaterThanOrEqualTo(names.Count - 2);
        foreach ((string name, ulong value) in found)
        {
            ((ulong)names[name]).Should().Be(value, name);
        }
    }

    [Fact]
    public void Ifreq_AsInHeaders()
    {
        Dictionary<string, ulong> found = Run("""
            printf("size %zu\n", sizeof(struct ifreq));
            printf("ifr_name %zu\n", offsetof(struct ifreq, ifr_name));
            printf("ifr_flags %zu\n", offsetof(struct ifreq, ifr_flags));
            printf("ifr_hwaddr_data %zu\n", offsetof(struct ifreq, ifr_hwaddr) + offsetof(struct sockaddr, sa_data));
            """);
        Marshal.SizeOf<ifreq>().Should().Be((int)found["size"]);
        foreach (string name in (string[])["ifr_name", "ifr_flags", "ifr_hwaddr_data"])
        {
            Marshal.OffsetOf<ifreq>(name).Should().Be((nint)found[name], name);
        }
    }

    [Fact]
    public void VhostNumbers_AsInHeaders()
    {
        FieldInfo[] fields = [.. typeof(Vhost).GetFields(BindingFlags.Public | BindingFlags.Static).Where(f => f.Name is not nameof(Vhost.DevicePath))];
        fields.Should().HaveCount(13);
        Dictionary<string, ulong> found = Run(string.Join('\n', fields.Select(f => Print(f.Name))));
        foreach (FieldInfo field in fields)
        {
            Convert.ToUInt64(field.GetValue(null), CultureInfo.InvariantCulture).Should().Be(found[field.Name], field.Name);
        }
    }

    [Fact]
    public void VhostFeatures_AsInHeaders()
    {
        Dictionary<string, ulong> found = Run("""
            printf("low %llu\n", (1ull << VIRTIO_NET_F_MRG_RXBUF) | (1ull << VIRTIO_RING_F_INDIRECT_DESC) | (1ull << VIRTIO_RING_F_EVENT_IDX));
            printf("high %llu\n", 1ull << VIRTIO_F_VERSION_1);
            """);
        VhostDescriptor.NeededFeatures.Should().Be(found["low"] | found["high"]);
    }

    [Theory]
    [InlineData(typeof(vhost_vring_state))]
    [InlineData(typeof(vhost_vring_file))]
    [InlineData(typeof(vhost_vring_addr))]
    [InlineData(typeof(vhost_memory_region))]
    public void VhostStructs_AsInHeaders(Type type)
    {
        FieldInfo[] fields = type.GetFields(BindingFlags.Public | BindingFlags.Instance);
        Dictionary<string, ulong> found = Run($"printf(\"size %zu\\n\", sizeof(struct {type.Name}));\n" + string.Join('\n', fields.Select(f => $"printf(\"{f.Name} %zu\\n\", offsetof(struct {type.Name}, {f.Name}));")));
        Marshal.SizeOf(type).Should().Be((int)found["size"]);
        foreach (FieldInfo field in fields)
        {
            Marshal.OffsetOf(type, field.Name).Should().Be((nint)found[field.Name], field.Name);
        }
    }

    [Fact]
    public unsafe void VhostMemory_AsInHeaders()
    {
        Dictionary<string, ulong> found = Run("""
            printf("header %zu\n", sizeof(struct vhost_memory));
            printf("nregions %zu\n", offsetof(struct vhost_memory, nregions));
            printf("regions %zu\n", offsetof(struct vhost_memory, regions));
            """);
        (found["header"], found["nregions"], found["regions"]).Should().Be(((ulong)vhost_memory.HeaderSize, 0ul, (ulong)Marshal.OffsetOf<vhost_memory>("regions")));
        sizeof(vhost_memory).Should().Be(vhost_memory.HeaderSize + vhost_memory.MaxRegions * sizeof(vhost_memory_region));
    }

    [Fact]
    public void NetworkLinkNumbers_AsInHeaders()
    {
        FieldInfo[] fields = [.. new[] { typeof(NetworkLink), typeof(RouteMessage) }.SelectMany(t => t.GetFields(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static))
            .Where(f => f.IsLiteral && f.Name.Contains('_', StringComparison.Ordinal))];
        Dictionary<string, ulong> found = Run(string.Join('\n', fields.Select(f => Print(f.Name))) + """

            printf("HeaderSize %zu\n", sizeof(struct nlmsghdr));
            printf("AttributeHeaderSize %zu\n", sizeof(struct rtattr));
            printf("ifinfomsg %zu\n", sizeof(struct ifinfomsg));
            printf("ifaddrmsg %zu\n", sizeof(struct ifaddrmsg));
            """);
        foreach (FieldInfo field in fields)
        {
            Convert.ToUInt64(field.GetRawConstantValue(), CultureInfo.InvariantCulture).Should().Be(found[field.Name], field.Name);
        }

        (found["HeaderSize"], found["AttributeHeaderSize"], found["ifinfomsg"], found["ifaddrmsg"]).Should().Be((RouteMessage.HeaderSize, RouteMessage.AttributeHeaderSize, 16, 8));
    }

    private static string Print(string name) => $"printf(\"{name} %llu\\n\", (unsigned long long)(unsigned)({name}));";

    private static Dictionary<string, ulong> Run(string body)
    {
        if (!File.Exists("/usr/bin/gcc") || !File.Exists("/usr/include/linux/if_tun.h"))
        {
            Assert.Skip("gcc or the kernel's headers are not installed (packages gcc, linux-libc-dev)");
        }

        string folder = Directory.CreateTempSubdirectory("vmm-abi").FullName;
        try
        {
            string source = Path.Combine(folder, "abi.c");
            File.WriteAllText(source, $$"""
                #include <stddef.h>
                #include <stdio.h>
                #include <sys/ioctl.h>
                #include <sys/socket.h>
                #include <linux/if.h>
                #include <linux/if_tun.h>
                #include <linux/vhost.h>
                #include <linux/virtio_net.h>
                #include <linux/virtio_ring.h>
                #include <linux/if_link.h>
                #include <linux/if_addr.h>
                #include <linux/netlink.h>
                #include <linux/rtnetlink.h>
                #include <linux/sockios.h>
                int main(void)
                {
                {{body}}
                return 0;
                }
                """);
            Start("/usr/bin/gcc", "-Wall", "-o", Path.Combine(folder, "abi"), source);
            return Start(Path.Combine(folder, "abi")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' '))
                .ToDictionary(parts => parts[0], parts => ulong.Parse(parts[1], CultureInfo.InvariantCulture));
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private static string Start(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.StandardError.ReadToEnd().Should().BeEmpty();
        process.WaitForExit();
        process.ExitCode.Should().Be(0);
        return output;
    }
}
