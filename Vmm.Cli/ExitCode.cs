using Vmm.Core.Machine;

namespace Vmm.Cli;

/// <summary>What <c>vmm</c> ends with. docs/exit-codes.md and <c>vmm --help</c> show the same table.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary><c>vmm doctor</c> found that no VM can run; <c>vmm demo</c> lost answers; <c>vmm bench</c> found something wrong; <c>vmm inspect</c> found differences; <c>vmm qmp</c>: the VM refused; <c>vmm live-update</c>, <c>vmm migrate</c>: it did not come about.</summary>
    public const int CheckFailed = 1;

    /// <summary>The command line is wrong; nothing was started.</summary>
    public const int Usage = 2;

    public const int GuestCrash = 100;

    public const int TripleFault = 101;

    public const int GuestPanic = 102;

    /// <summary>The host refused something, or vmm itself failed.</summary>
    public const int HostError = 125;

    /// <summary>Plus the signal's number, as a shell has it.</summary>
    public const int SignalBase = 128;

    public const string Table = """
        Exit codes:
          0        the guest powered off, asked for a reset, or was stopped with Ctrl-A x or vmm stop; the command succeeded
          1        vmm doctor: no VM can run here; vmm demo: answers were lost; vmm bench: something is wrong; vmm inspect: two files differ; vmm qmp: the VM refused;
                   vmm live-update, vmm migrate: refused or failed, and the guest goes on where it was
          2        the command line is wrong; nothing was started
          0..255   vmm run: the value that the guest wrote to the debug-exit port 0x501
          100      vmm run: the guest did what KVM can't run (a report is on stderr)
          101      vmm run: triple fault
          102      vmm run: the guest's kernel panicked (it says so by pvpanic)
          125      the host refused something, or vmm itself failed
          128+N    stopped by signal N: 129 SIGHUP, 130 SIGINT, 143 SIGTERM
        """;

    /// <param name="end">How the machine ended.</param>
    /// <param name="signal">The signal that stopped it, or 0.</param>
    public static int From(GuestEnd end, int signal) => end.Cause switch
    {
        GuestEndCause.PowerOff or GuestEndCause.Reset => Success,
        GuestEndCause.DebugExit => end.Status,
        GuestEndCause.Crash => GuestCrash,
        GuestEndCause.TripleFault => TripleFault,
        GuestEndCause.Panic => GuestPanic,
        GuestEndCause.Stopped => signal == 0 ? Success : SignalBase + signal,
        _ => HostError,
    };
}
