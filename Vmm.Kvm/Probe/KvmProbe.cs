using Vmm.Core.Linux;
using Vmm.Kvm.Native;

namespace Vmm.Kvm.Probe;

/// <summary>Looks at this host's KVM without creating a machine: can it be opened, which kind is it, what does it have?</summary>
/// <param name="devicePath">The device node.</param>
public sealed class KvmProbe(string devicePath = "/dev/kvm")
{
    /// <summary>Never throws for what a host may lack: that is in the report.</summary>
    public KvmProbeReport Run()
    {
        try
        {
            using Kvm kvm = Kvm.Open(devicePath);
            return Look(kvm);
        }
        catch (LinuxException exception)
        {
            return new KvmProbeReport(devicePath) { Error = Sentence(exception), Advice = exception.Advice };
        }
        catch (NotSupportedException exception)
        {
            return new KvmProbeReport(devicePath) { Error = exception.Message, Advice = "Use a newer kernel." };
        }
    }

    private KvmProbeReport Look(Kvm kvm)
    {
        KvmCapabilityReport[] capabilities =
        [
            .. KvmCapabilities.Required.Select(c => new KvmCapabilityReport(c.ToString(), IsRequired: true, kvm.Check(c))),
            .. KvmCapabilities.Optional.Select(c => new KvmCapabilityReport(c.ToString(), IsRequired: false, kvm.Check(c))),
        ];
        string[] missing = [.. capabilities.Where(c => c is { IsRequired: true, IsPresent: false }).Select(c => c.Name)];
        KvmKind kind = KvmKindDetector.Detect();
        return new KvmProbeReport(devicePath)
        {
            Error = missing.Length == 0 ? null : $"{devicePath} lacks {string.Join(", ", missing)}.",
            Advice = missing.Length == 0 ? null : "Use Linux 5.10 or newer.",
            ApiVersion = kvm.ApiVersion,
            Kind = kind,
            Limitation = kind == KvmKind.SoftwareNested ? KvmKindDetector.SoftwareNestedLimitation : null,
            MaxCpuCount = Math.Max(kvm.Check(KvmCapability.KVM_CAP_MAX_VCPUS), 1),
            Capabilities = capabilities,
        };
    }

    /// <summary>The advice has its own place in the report.</summary>
    private static string Sentence(LinuxException exception)
        => exception.Advice is null ? exception.Message : exception.Message[..^(exception.Advice.Length + 1)];
}
