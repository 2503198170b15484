using System.Diagnostics;
using System.Globalization;

namespace Vmm.Testbed.Tests;

/// <summary>The guest's root is ext4 on a virtio-blk disk.</summary>
public sealed class DiskTests(L1Fixture fixture)
{
    private const string Disk = "/run/root.ext4";

    // The sum is that of the bytes on their way to the file; what is compared with it comes from the disk.
    private const string Writer = """
        mkdir -p /data; n=0; while [ ! -e /run/stop ]; do n=$((n+1)); f=/data/$((n%16));
        s=$(dd if=/dev/urandom bs=64k count=16 2>/dev/null | tee $f | sha256sum | cut -d" " -f1); echo "$s  $f" >$f.sum; sync;
        echo 3 >/proc/sys/vm/drop_caches; sha256sum -c -s $f.sum || echo $n $f >>/run/bad; echo $n >/run/count; done; touch /run/stopped
        """;

    [Theory]
    [InlineData(Hypervisor.Vmm)]
    [InlineData(Hypervisor.Qemu)]
    public void Root_OnADisk_IsReadAndWritten(Hypervisor hypervisor) => fixture.Run(machine =>
    {
        machine.Require($"cp \"$TESTBED_IMAGES\"/root.ext4 {Disk}");
        using L2 guest = new(machine, hypervisor, new L2Options { Root = Disk });

        guest.Require("grep ' / ext4 ' /proc/mounts").Should().StartWith("/dev/vda");
        guest.Require("echo from the guest >/file; sync; mount -o remount,ro /");

        guest.End("poweroff -f").ExitCode.Should().Be(0);
        machine.Require($"e2fsck -f -n {Disk}");
        machine.Require($"debugfs -R 'cat /file' {Disk}").Should().Be("from the guest\n");
    });

    [Fact]
    public void Root_WrittenToDuringLiveUpdates_StaysWhole() => fixture.Run(machine =>
    {
        machine.Require($"cp \"$TESTBED_IMAGES\"/root.ext4 {Disk}");
        using L2 guest = new(machine, Hypervisor.Vmm, new L2Options { Root = Disk });
        LiveUpdate.AllowLongPauses(machine, guest);
        KernelLog.Clear(guest);
        guest.Require($"({Writer.Replace('\n', ' ')}) >/dev/null 2>&1 &");

        int updates = 0;
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < Effort.DiskTime; updates++)
        {
            LiveUpdate.Do(machine, guest);
        }

        guest.Require("touch /run/stop; until [ -e /run/stopped ]; do sleep 0.2; done");
        guest.Run("cat /run/bad").Output.Should().NotContain("/data");
        int files = int.Parse(guest.Require("cat /run/count"), CultureInfo.InvariantCulture);
        files.Should().BePositive();
        KernelLog.RequireClean(guest);
        guest.Require("sync; mount -o remount,ro /");
        guest.End("poweroff -f").ExitCode.Should().Be(0);
        machine.Require($"e2fsck -f -n {Disk}");
        machine.Require($"mkdir -p /run/disk && mount -o loop,ro {Disk} /run/disk && cat /run/disk/data/*.sum | sed 's#/data#/run/disk/data#' | sha256sum -c --quiet; r=$?; umount /run/disk; exit $r");
        fixture.Results.Add($"live updates in {Effort.DiskTime.TotalSeconds} s of writing to the disk", Hypervisor.Vmm, updates);
        fixture.Results.Add("MiB written and compared meanwhile", Hypervisor.Vmm, files);
    });
}
