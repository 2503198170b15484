using System.CommandLine;
using Vmm.Cli.Doctor;

namespace Vmm.Cli.Commands;

/// <summary><c>vmm doctor</c>: can this host run a VM, and what is missing?</summary>
internal sealed class DoctorCommand : Command, IExamples
{
    public DoctorCommand() : base("doctor", "Checks whether this host can run a VM and says for each finding what to do. Exit code 0: it can; 1: it can't.")
        => SetAction(Check);

    public string Examples => "vmm doctor";

    private static int Check(ParseResult parsed)
    {
        TextWriter output = parsed.InvocationConfiguration.Output;
        Func<Finding>[] checks =
        [
            HostChecks.Platform,
            KvmCheck.Run,
            HostChecks.Tun,
            HostChecks.Vhost,
            HostChecks.Privileges,
            HostChecks.UserNamespaces,
            HostChecks.Memory,
            HostChecks.OpenFiles,
            HostChecks.LockedMemory,
            HostChecks.TransparentHugePages,
            HostChecks.HugePages,
        ];
        bool canRun = true;
        string? noDemo = null;
        foreach (Func<Finding> check in checks)
        {
            Finding finding = check();
            canRun &= finding.Verdict != Verdict.Bad;
            noDemo ??= finding.PreventsDemo ? finding.Subject : null;
            Print(output, finding);
        }

        output.WriteLine();
        output.WriteLine(canRun && noDemo is null ? "A VM can run here. Try: vmm demo"
            : canRun ? $"A VM can run here, but not vmm demo, see {noDemo}. Try: vmm run --kernel demo --append exit=0; echo $?"
            : "No VM can run here; see the lines marked MISSING.");
        return canRun ? ExitCode.Success : ExitCode.CheckFailed;
    }

    private static void Print(TextWriter output, Finding finding)
    {
        string word = finding.Verdict switch
        {
            Verdict.Good => "ok",
            Verdict.Limited => "limited",
            _ => "MISSING",
        };
        output.WriteLine($"{word,-8} {finding.Subject}: {finding.State}");
        if (finding.Advice is not null)
        {
            output.WriteLine($"{"",-8}   -> {finding.Advice}");
        }
    }
}
