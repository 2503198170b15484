using System.Reflection;
using Vmm.Cli.Doctor;
using Vmm.Testing.Network;

namespace Vmm.Cli.Tests.Harness;

/// <summary>What the tests find on this machine.</summary>
internal static class Host
{
    /// <summary>The binary under test: what <c>./test.sh</c> published, or the last one that <c>./vmm</c> did.</summary>
    public static string Binary { get; } = Environment.GetEnvironmentVariable("VMM_BINARY") ?? Path.Combine(Root, "artifacts/publish/Vmm.Cli/release_linux-x64/vmm");

    /// <summary>A build of the same program that is one state version ahead; <c>./test.sh</c> makes it.</summary>
    public static string NextBinary { get; } = Environment.GetEnvironmentVariable("VMM_NEXT_BINARY") ?? Path.Combine(Root, "artifacts/next/bin/Vmm.Cli/debug/vmm");

    /// <summary>What XDG_RUNTIME_DIR is for all that the tests start: the names of their machines are nobody else's business.</summary>
    public static string RuntimeFolder { get; } = MakeRuntimeFolder();

    public static string Root
    {
        get
        {
            string folder = Path.GetDirectoryName(Assembly.GetExecutingAssembly().Location)!;
            while (!File.Exists(Path.Combine(folder, "Vmm.sln")))
            {
                folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests do not lie in the source tree.");
            }

            return folder;
        }
    }

    public static void RequireBinary() => Assert.SkipUnless(File.Exists(Binary), $"{Binary} is not there: run ./test.sh, or ./vmm version once.");

    public static void RequireKvm()
    {
        RequireBinary();
        Finding kvm = KvmCheck.Run();
        Assert.SkipWhen(kvm.Verdict == Verdict.Bad, $"{kvm.Subject}: {kvm.State}");
    }

    public static void RequireNetwork()
    {
        RequireKvm();
        Assert.SkipWhen(NetworkTestbed.Missing is not null, NetworkTestbed.Missing ?? "");
    }

    public static void RequireTool(string name)
        => Assert.SkipUnless((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, name))), $"The tool {name} is not installed.");

    private static string MakeRuntimeFolder()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("vmm-run-");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => folder.Delete(recursive: true);
        return folder.FullName;
    }
}
