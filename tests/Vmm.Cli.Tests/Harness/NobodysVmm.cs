namespace Vmm.Cli.Tests.Harness;

/// <summary>The binary where the user nobody can execute it, and run as that user.</summary>
internal sealed class NobodysVmm : IDisposable
{
    private const UnixFileMode Public = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private readonly TemporaryFolder _folder = new();

    private NobodysVmm()
    {
        File.Copy(Host.Binary, _folder["vmm"]);
        File.SetUnixFileMode(_folder["vmm"], Public);
        File.SetUnixFileMode(Path.GetDirectoryName(_folder["vmm"])!, Public);
    }

    /// <summary>Skips the test where nobody can't be had, or may open /dev/kvm.</summary>
    public static NobodysVmm Require()
    {
        Host.RequireKvm();
        Host.RequireTool("setpriv");
        Assert.SkipUnless(Environment.UserName == "root", "Only root can become another user.");
        Assert.SkipWhen((File.GetUnixFileMode("/dev/kvm") & UnixFileMode.OtherWrite) != 0, "Everybody may open /dev/kvm here.");
        return new NobodysVmm();
    }

    public VmmProcess Start(params string[] arguments)
        => VmmProcess.StartProgram("setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", _folder["vmm"], .. arguments]);

    /// <summary>In a mount namespace where everybody may open /dev/kvm and /dev/net/tun; the host's own stay as they are.</summary>
    public VmmProcess StartWithDevices(params string[] arguments) => StartWithDevices("--reuid=65534", "", arguments);

    /// <summary>The same as a user who has no other processes, and a limit on threads (ulimit -u).</summary>
    public VmmProcess StartWithThreads(int threads, params string[] arguments) => StartWithDevices("--reuid=65533", $"ulimit -u {threads};", arguments);

    public void Dispose() => _folder.Dispose();

    private VmmProcess StartWithDevices(string user, string before, string[] arguments)
    {
        Host.RequireTool("bash"); // whose ulimit knows -u
        Host.RequireTool("unshare");
        string script = $"""
            set -e
            cd {Path.GetDirectoryName(_folder["vmm"])}
            mknod kvm c 10 232
            mknod tun c 10 200
            chmod 666 kvm tun
            mount --bind kvm /dev/kvm
            mount --bind tun /dev/net/tun
            exec setpriv {user} --regid=65534 --clear-groups bash -c '{before} exec ./vmm {string.Join(' ', arguments)}'
            """;
        return VmmProcess.StartProgram("unshare", "--mount", "sh", "-c", script);
    }
}
