using Tmds.Linux;
using Vmm.Core.Devices.VirtioBlock;
using Vmm.Core.Linux;

namespace Vmm.Core.Tests.Devices.VirtioBlock;

public sealed class DiskImageTests : IDisposable
{
    private readonly ImageFile _file = new();

    [Fact]
    public void Open_Twice_IsRefusedUnlessBothOnlyRead()
    {
        using (DiskImage first = Open())
        {
            Refusal().Should().Contain($"path={_file.Path} is in use by another process");
            Refusal("readonly=on").Should().Contain("in use by another process that writes it");
        }

        using DiskImage reader = Open("readonly=on");
        using DiskImage another = Open("readonly=on");
        Refusal().Should().Contain("in use");
    }

    [Fact]
    public void HandOver_ByName_LeavesNoMomentToAThird()
    {
        DiskImage source = Open();
        using DiskImage destination = Open(arrives: true);
        Refusal().Should().Contain("in use", "the destination has its turn");
        FluentActions.Invoking(() => Open(arrives: true)).Should().Throw<DiskImageException>();

        destination.Acquire(runs: true, _ => { });
        destination.IsLocked.Should().BeFalse("the source has not let go");
        Refusal().Should().Contain("in use");

        Refusal("readonly=on").Should().Contain("in use");

        source.Yield();
        SpinWait.SpinUntil(() => destination.IsLocked, TimeSpan.FromSeconds(20)).Should().BeTrue();
        Refusal().Should().Contain("in use");
        source.TryLock().Should().BeFalse();
        source.Dispose();
        Refusal().Should().Contain("in use");
    }

    [Fact]
    public void HandOver_ByName_ForgetsWhatWasReadBefore()
    {
        Assert.SkipWhen(new DriveInfo(_file.Path).DriveFormat == "tmpfs", "a file in tmpfs is nowhere else");
        using DiskImage source = Open();
        source.Flush().Should().Be(0);
        using DiskImage destination = Open(arrives: true);
        PageCache.Has(Descriptor(destination)).Should().BeTrue("its start was looked at");

        destination.Acquire(runs: true, _ => { });
        PageCache.Has(Descriptor(destination)).Should().BeFalse();
    }

    [Fact]
    public void HandOver_ThatFails_LeavesTheSourceAsItWas()
    {
        using DiskImage source = Open();
        Open(arrives: true).Dispose();

        source.IsLocked.Should().BeTrue();
        Refusal().Should().Contain("in use");
        source.Dispose();
        Open().Dispose();
    }

    [Fact]
    public void HandOver_WithTheOpenFile_TakesTheLockAlong()
    {
        DiskImage source = Open();
        using FileDescriptor passed = new FileDescriptor(Descriptor(source).Number, ownsHandle: false).Duplicate();
        DiskResources resources = new() { Size = (ulong)source.Size, Locked = true, File = passed };
        using DiskImage destination = DiskImage.Adopt(in resources, DiskDeviceOptions.Parse($"path={_file.Path}"));
        destination.IsOwner.Should().BeFalse();

        source.IsOwner = false;
        source.Dispose();
        Refusal().Should().Contain("in use");
        destination.Acquire(runs: true, _ => { });
        destination.IsOwner.Should().BeTrue();
        destination.Dispose();
        Open().Dispose();
    }

    [Fact]
    public void HandOver_ByName_LeavesNoMomentToAReader()
    {
        using DiskImage source = Open();
        using DiskImage destination = Open(arrives: true);
        source.Yield();
        Refusal("readonly=on").Should().Contain("in use by another process that writes it");
        source.TryLock().Should().BeFalse("the destination has its turn");
    }

    [Fact]
    public void HandOver_WithTheOpenFileOfAnImageGivenUp_TakesNothingUntilItRuns()
    {
        using DiskImage source = Open();
        source.Yield();
        using FileDescriptor passed = new FileDescriptor(Descriptor(source).Number, ownsHandle: false).Duplicate();
        DiskResources resources = ((Core.State.ResourceSection<DiskResources>)source.CreateResourceSection("disk0")).Value;
        resources.File = passed;
        DiskImage destination = DiskImage.Adopt(in resources, DiskDeviceOptions.Parse($"path={_file.Path}"));
        destination.Acquire(runs: false, _ => { });
        using (DiskImage other = Open())
        {
            destination.TryLock().Should().BeFalse();
        }

        destination.TryLock().Should().BeTrue();
        Refusal().Should().Contain("in use");
    }

    [Fact]
    public void Yield_WhileTheLockIsWaitedFor_EndsThat()
    {
        using DiskImage source = Open();
        using DiskImage destination = Open(arrives: true);
        destination.Acquire(runs: true, _ => { });
        destination.Yield();
        source.Dispose();
        SpinWait.SpinUntil(() => destination.IsLocked, TimeSpan.FromMilliseconds(50)).Should().BeFalse();
        Open().Dispose();

        using DiskImage third = Open();
        destination.Acquire(runs: true, _ => { });
        destination.IsLocked.Should().BeFalse();
        third.Dispose();
        SpinWait.SpinUntil(() => destination.IsLocked, TimeSpan.FromSeconds(20)).Should().BeTrue();
    }

    [Theory]
    [InlineData("readonly=on", "open for writing, with the page cache")]
    [InlineData("cache=none", "open for writing, with the page cache")]
    public void Adopt_ADescriptorThatIsSomethingElse_IsRefused(string options, string reason)
    {
        using DiskImage source = Open();
        DiskResources resources = new() { Size = (ulong)source.Size, File = Descriptor(source) };
        FluentActions.Invoking(() => DiskImage.Adopt(in resources, DiskDeviceOptions.Parse($"path={_file.Path},{options}")))
            .Should().Throw<DiskImageException>().WithMessage($"*{reason}*");
    }

    [Fact]
    public void Size_ThatIsNoMultipleOfABlock_IsRoundedDownWithAWarning()
    {
        using (FileStream file = File.OpenWrite(_file.Path))
        {
            file.SetLength((1 << 20) + 100);
        }

        using DiskImage image = Open();
        image.Size.Should().Be(1 << 20);
        image.Warning.Should().Contain("1048676 bytes, no multiple of 512: the guest does not see the last 100");
    }

    [Theory]
    [InlineData(0u, 1u)]
    [InlineData(4096u, 4096u)]
    [InlineData(131584u, 131072u)]
    [InlineData(uint.MaxValue, 1u << 30)]
    public void PhysicalBlockSize_IsAPowerOfTwo(uint size, uint expected) => DiskImage.RoundBlock(size).Should().Be(expected);

    /// <summary>Of a hole, which a new image is all of, the kernel reads any part: nothing is read for it.</summary>
    [Fact]
    public void Open_HoleOnStorageWithLargeBlocks_HasBlocksOfThatSize()
    {
        using LargeBlockFolder folder = new();
        string path = Path.Combine(folder.Path, "new.img");
        using (FileStream file = File.Create(path))
        {
            file.SetLength(1 << 20);
        }

        using DiskImage direct = DiskImage.Open(DiskDeviceOptions.Parse($"path={path},cache=none"));
        direct.BlockSize.Should().Be(4096);
        direct.Dispose();
        using DiskImage cached = DiskImage.Open(DiskDeviceOptions.Parse($"path={path}"));
        cached.BlockSize.Should().Be(512);
    }

    [Fact]
    public void Image_ThatBeginsLikeQcow2_IsWarnedAbout()
    {
        using (FileStream file = File.OpenWrite(_file.Path))
        {
            file.Write([(byte)'Q', (byte)'F', (byte)'I', 0xfb, 0, 0, 0, 3]);
        }

        using DiskImage image = Open();
        image.Warning.Should().Contain("qcow2").And.Contain("qemu-img convert");
    }

    [Fact]
    public void Open_WhatIsNoDisk_SaysWhyAndWhatToDo()
    {
        string folder = Path.GetDirectoryName(_file.Path)!;
        Refusal(path: folder).Should().Be($"path={folder} is neither a regular file nor a block device.");
        Refusal(path: "/dev/null").Should().Contain("neither a regular file nor a block device");
        Refusal(path: $"{folder}/none").Should().Contain($"truncate -s 10G {folder}/none");
        string empty = Path.Combine(folder, "empty");
        File.WriteAllBytes(empty, new byte[100]);
        Refusal(path: empty).Should().Contain("has 100 bytes, less than one block of 512");
    }

    [Theory]
    [InlineData("path=x", "path=x")]
    [InlineData("path=a,,b,id=d,readonly=on,cache=none,serial=S,queues=4", "path=a,,b,id=d,readonly=on,cache=none,serial=S,queues=4")]
    [InlineData("readonly=off,cache=writeback,queues=1,path=/x=y", "path=/x=y")]
    [InlineData("path=x,cache=unsafe", "path=x,cache=unsafe")]
    public void Options_WrittenAndRead_AreTheSame(string text, string expected)
    {
        DiskDeviceOptions options = DiskDeviceOptions.Parse(text);
        options.Format().Should().Be(expected);
        DiskDeviceOptions.Parse(options.Format()).Should().Be(options);
    }

    [Theory]
    [InlineData("", "'' is no option of a disk. Known are: path, id, readonly, cache, serial, queues.")]
    [InlineData("disk.img", "'disk.img' is no option of a disk.")]
    [InlineData("id=x", "'path' is missing: which file or block device is it?")]
    [InlineData("path=", "'path' lacks a value")]
    [InlineData("path=x,path=y", "'path' is given twice.")]
    [InlineData("path=x,id=a b", "id=a b may hold letters")]
    [InlineData("path=x,readonly=yes", "readonly=yes is neither on nor off.")]
    [InlineData("path=x,cache=writethrough", "cache=writethrough is none of writeback, none and unsafe.")]
    [InlineData("path=x,serial=123456789012345678901", "has 21 characters; a serial number has 20 at most.")]
    [InlineData("path=x,serial=é", "may hold printable ASCII characters only.")]
    [InlineData("path=x,queues=0", "queues=0 is not a number from 1 to 16.")]
    [InlineData("path=x,queues=17", "queues=17 is not a number from 1 to 16.")]
    public void Options_ThatAreWrong_AreNamed(string text, string reason)
    {
        DiskDeviceOptions.TryParse(text, out _, out string? error).Should().BeFalse();
        error.Should().StartWith($"--disk {text}: ").And.Contain(reason);
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("cache=none", false)]
    public void Flush_ThatFailedOnce_FailsForGoodUnlessThePageCacheIsLeftOut(string options, bool forGood)
    {
        using DiskImage image = Open(options);
        FailingFlush.Break(image, () => image.Flush().Should().Be(-LibC.EINVAL));
        image.Flush().Should().Be(forGood ? -LibC.EINVAL : 0);
    }

    public void Dispose() => _file.Dispose();

    private static FileDescriptor Descriptor(DiskImage image)
        => ((Core.State.ResourceSection<DiskResources>)image.CreateResourceSection("disk0")).Value.File!;

    private DiskImage Open(string options = "", bool arrives = false, string? path = null)
        => DiskImage.Open(DiskDeviceOptions.Parse($"path={path ?? _file.Path}{(options.Length > 0 ? "," : "")}{options}"), arrives);

    private string Refusal(string options = "", string? path = null)
        => FluentActions.Invoking(() => Open(options, path: path).Dispose()).Should().Throw<IOException>().Which.Message;
}
