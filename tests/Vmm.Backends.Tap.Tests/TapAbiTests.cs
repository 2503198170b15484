using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;

namespace Vmm.Backends.Tap.Tests;

/// <summary>Compiles C against the kernel's headers and compares every number, size and offset.</summary>
public sealed class TapAbiTests
{
    /// <summary>Added by Linux 6.2; older headers lack them.</summary>
    private static readonly string[] _young = ["TUN_F_USO4", "TUN_F_USO6"];

    [Fact]
    public void Numbers_AsInHeaders()
    {
        FieldInfo[] fields = [.. typeof(Tun).GetFields(BindingFlags.Public | BindingFlags.Static).Where(f => f.Name != nameof(Tun.DevicePath) && f.Name != nameof(Tun.MAX_TAP_QUEUES))];
        StringBuilder body = new();
        foreach (FieldInfo field in fields)
        {
            body.AppendLine(_young.Contains(field.Name) ? $"#ifdef {field.Name}" : "#if 1")
                .AppendLine(CultureInfo.InvariantCulture, $"printf(\"{field.Name} %llu\\n\", (unsigned long long)(unsigned)({field.Name}));").AppendLine("#endif");
        }

        Dictionary<string, ulong> found = Run(body.ToString());
        found.Should().HaveCountGreaterThanOrEqualTo(fields.Length - _young.Length);
        foreach (FieldInfo field in fields.Where(f => found.ContainsKey(f.Name)))
        {
            Convert.ToUInt64(field.GetValue(null), CultureInfo.InvariantCulture).Should().Be(found[field.Name], field.Name);
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
    public void NetworkLinkNumbers_AsInHeaders()
    {
        FieldInfo[] fields = [.. new[] { typeof(NetworkLink), typeof(RouteMessage) }.SelectMany(t => t.GetFields(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static))
            .Where(f => f.IsLiteral && f.Name.Contains('_', StringComparison.Ordinal))];
        StringBuilder body = new();
        foreach (FieldInfo field in fields)
        {
            body.AppendLine(CultureInfo.InvariantCulture, $"printf(\"{field.Name} %llu\\n\", (unsigned long long)({field.Name}));");
        }

        body.AppendLine("""
            printf("HeaderSize %zu\n", sizeof(struct nlmsghdr));
            printf("AttributeHeaderSize %zu\n", sizeof(struct rtattr));
            printf("ifinfomsg %zu\n", sizeof(struct ifinfomsg));
            printf("ifaddrmsg %zu\n", sizeof(struct ifaddrmsg));
            """);
        Dictionary<string, ulong> found = Run(body.ToString());
        foreach (FieldInfo field in fields)
        {
            Convert.ToUInt64(field.GetRawConstantValue(), CultureInfo.InvariantCulture).Should().Be(found[field.Name], field.Name);
        }

        (found["HeaderSize"], found["AttributeHeaderSize"], found["ifinfomsg"], found["ifaddrmsg"]).Should().Be((RouteMessage.HeaderSize, RouteMessage.AttributeHeaderSize, 16, 8));
    }

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
