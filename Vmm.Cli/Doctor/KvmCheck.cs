using Vmm.Kvm.Probe;

namespace Vmm.Cli.Doctor;

/// <summary>The one check that decides whether a VM can run.</summary>
internal static class KvmCheck
{
    public static Finding Run()
    {
        KvmProbeReport report = new KvmProbe().Run();
        if (!report.IsUsable)
        {
            // The device's name stands before it already.
            string error = report.Error!.Replace($"open on {report.DevicePath} failed", "can't be opened", StringComparison.Ordinal).TrimEnd('.');
            return new Finding(Verdict.Bad, report.DevicePath, error, report.Advice);
        }

        string[] absent = [.. report.Capabilities.Where(capability => !capability.IsPresent).Select(capability => capability.Name)];
        string state = $"{Describe(report.Kind!.Value)}, API version {report.ApiVersion}, up to {report.MaxCpuCount} vCPUs, "
            + (absent.Length == 0 ? $"all {report.Capabilities.Count} capabilities asked for" : $"without the optional {string.Join(", ", absent)}");
        return report.Limitation is { } limitation
            ? new Finding(Verdict.Limited, report.DevicePath, state, char.ToUpperInvariant(limitation[0]) + limitation[1..].TrimEnd('.') + ".")
            : new Finding(Verdict.Good, report.DevicePath, state);
    }

    private static string Describe(KvmKind kind) => kind switch
    {
        KvmKind.Vmx => "KVM on Intel VT-x",
        KvmKind.Svm => "KVM on AMD SVM",
        _ => "KVM, software-nested",
    };
}
