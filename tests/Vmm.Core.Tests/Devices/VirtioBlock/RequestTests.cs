using System.Buffers.Binary;
using System.Text;
using Vmm.Core.Devices.VirtioBlock;
using Vmm.Core.Events;
using Vmm.Core.Memory;
using Vmm.Core.Virtio;
using Vmm.Testing;
using Vmm.Testing.Virtio;
using static Vmm.Core.Tests.Devices.VirtioBlock.BlockGuest;

namespace Vmm.Core.Tests.Devices.VirtioBlock;

public sealed class RequestTests : IDisposable
{
    private const uint Unmap = 1;

    private readonly ImageFile _file = new();

    public static TheoryData<string> Caches => ["cache=writeback", "cache=none", "cache=unsafe"];

    [Fact]
    public void Configuration_OfAWritableImage_IsWhatTheSpecificationHas()
    {
        using BlockGuest guest = new(_file.Path, "queues=3", queues: 3);
        byte[] config = guest.Driver.ReadConfig(0, 60);

        guest.Driver.Read(VirtioMmioRegister.DeviceId).Should().Be(2);
        BinaryPrimitives.ReadUInt64LittleEndian(config).Should().Be(8192);
        BinaryPrimitives.ReadUInt32LittleEndian(config.AsSpan(8)).Should().Be(1 << 20);
        BinaryPrimitives.ReadUInt32LittleEndian(config.AsSpan(12)).Should().Be(254);
        BinaryPrimitives.ReadUInt32LittleEndian(config.AsSpan(20)).Should().Be(512);
        config[32].Should().Be(1);
        BinaryPrimitives.ReadUInt16LittleEndian(config.AsSpan(34)).Should().Be(3);
        BinaryPrimitives.ReadUInt32LittleEndian(config.AsSpan(36)).Should().Be(1 << 22);
        BinaryPrimitives.ReadUInt32LittleEndian(config.AsSpan(40)).Should().Be(16);
        BinaryPrimitives.ReadUInt32LittleEndian(config.AsSpan(48)).Should().Be(1 << 16);
        BinaryPrimitives.ReadUInt32LittleEndian(config.AsSpan(52)).Should().Be(1);
        guest.Driver.ReadConfig(58, 8).Should().OnlyContain(b => b == 0);
        (guest.Driver.OfferedFeatures & VirtioBlockFeatures.MultiQueue).Should().NotBe(0);
        (guest.Driver.OfferedFeatures & VirtioBlockFeatures.ReadOnly).Should().Be(0);
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public void ReadAndWrite_OfAnyLayout_MoveTheBytes(string cache)
    {
        using BlockGuest guest = new(_file.Path, cache);
        guest.Read(5, 4096, alignment: 4096).Should().Equal(ImageFile.Pattern(5, 4096));

        byte[] written = ImageFile.Pattern(1000, 8192);
        guest.Write(16, written, alignment: 4096).Should().Be(Ok);
        _file.Bytes(16, 8192).Should().Equal(written);

        // Buffers that begin and end anywhere.
        ulong at = guest.Allocate(5000, 4096) + 3;
        ulong status = guest.Allocate(1);
        guest.Send(status, 0, guest.Header(In, 16), DriverBuffer.Writable(at, 100), DriverBuffer.Writable(at + 200, 924), DriverBuffer.Writable(status, 1)).Should().Be((Ok, 1025u));
        guest.Get(at, 100).Should().Equal(written[..100]);
        guest.Get(at + 200, 924).Should().Equal(written[100..1024]);

        guest.Driver.Memory.Write(new GuestAddress(at), written.AsSpan(512, 512));
        guest.Send(status, 0, guest.Header(Out, 40), DriverBuffer.Readable(at, 12), DriverBuffer.Readable(at + 12, 500), DriverBuffer.Writable(status, 1)).Should().Be((Ok, 1u));
        _file.Bytes(40, 512).Should().Equal(written[512..1024]);
        guest.Flush().Should().Be(Ok);
    }

    [Fact]
    public void Header_InPiecesAndStatusBehindData_AreFound()
    {
        using BlockGuest guest = new(_file.Path);
        ulong header = guest.Header(In, 7).Address.Value;
        ulong data = guest.Allocate(513);
        guest.Send(data + 512, 0, DriverBuffer.Readable(header, 5), DriverBuffer.Readable(header + 5, 11), DriverBuffer.Writable(data, 513)).Should().Be((Ok, 513u));
        guest.Get(data, 512).Should().Equal(ImageFile.Pattern(7, 512));

        // Header and data in one.
        byte[] both = new byte[16 + 512];
        both[0] = Out;
        both[8] = 9;
        ImageFile.Pattern(77, 512).CopyTo(both, 16);
        ulong status = guest.Allocate(1);
        guest.Send(status, 0, DriverBuffer.Readable(guest.Put(both), (uint)both.Length), DriverBuffer.Writable(status, 1)).Should().Be((Ok, 1u));
        _file.Bytes(9, 512).Should().Equal(ImageFile.Pattern(77, 512));
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public void Request_OfManyMebibytes_IsWhole(string cache)
    {
        using ImageFile large = new(24 << 20);
        using BlockGuest guest = new(large.Path, cache);
        byte[] read = guest.Read(3, 9 << 20, alignment: 4096);
        read.AsSpan().SequenceEqual(ImageFile.Pattern(3, 9 << 20)).Should().BeTrue();
        guest.Write(20_000, read).Should().Be(Ok);
        large.Bytes(20_000, 9 << 20).AsSpan().SequenceEqual(read).Should().BeTrue();
    }

    [Fact]
    public void ManyRequests_AtOnce_AreAllAnswered()
    {
        using BlockGuest guest = new(_file.Path);
        ulong[] statuses = [.. Enumerable.Range(0, 80).Select(_ => guest.Allocate(1))];
        ulong[] buffers = [.. statuses.Select(_ => guest.Allocate(512))];
        for (int i = 0; i < statuses.Length; i++)
        {
            guest.Driver.Queues[0].Add([guest.Header(In, (ulong)i), DriverBuffer.Writable(buffers[i], 512), DriverBuffer.Writable(statuses[i], 1)]);
        }

        guest.Driver.Notify(0);
        for (int i = 0; i < statuses.Length; i++)
        {
            guest.Await(statuses[i]).Status.Should().Be(Ok);
            guest.Get(buffers[i], 512).Should().Equal(ImageFile.Pattern((ulong)i, 512));
        }
    }

    [Theory]
    [InlineData("", "disk0")]
    [InlineData("serial=ROOT-1", "ROOT-1")]
    [InlineData("serial=12345678901234567890", "12345678901234567890")]
    public void GetId_IsTheSerialNumber(string options, string expected)
    {
        using BlockGuest guest = new(_file.Path, options);
        ulong at = guest.Allocate(32);
        guest.Request(GetIdType, 0, DriverBuffer.Writable(at, 20)).Should().Be((Ok, 21u));
        Encoding.ASCII.GetString(guest.Get(at, 20)).TrimEnd('\0').Should().Be(expected);
    }

    [Fact]
    public void Discard_GivesTheSpaceUp()
    {
        using BlockGuest guest = new(_file.Path);
        guest.Ranges(DiscardType, (8, 64, 0), (128, 8, 0), (200, 0, 0)).Should().Be(Ok);

        _file.Bytes(8, 64 * 512).Should().OnlyContain(b => b == 0);
        _file.Bytes(128, 8 * 512).Should().OnlyContain(b => b == 0);
        _file.Bytes(72, 512).Should().Equal(ImageFile.Pattern(72, 512));
        new FileInfo(_file.Path).Length.Should().Be(4 << 20);
        guest.Metrics.Discards.Should().Be(1);
    }

    [Fact]
    public void Discard_OfMuch_IsWhole()
    {
        using (FileStream file = File.OpenWrite(_file.Path))
        {
            // Where the pieces meet that it is done in.
            foreach (long piece in (long[])[64 << 20, 128 << 20])
            {
                file.Position = piece - 4096;
                file.Write(ImageFile.Pattern(0, 8192));
            }

            file.Position = 150 << 20;
            file.Write(ImageFile.Pattern(7, 8192));
        }

        using BlockGuest guest = new(_file.Path);
        guest.Ranges(DiscardType, (1, (150 << 11) + 7, 0)).Should().Be(Ok);
        _file.Bytes(0, 512).Should().Equal(ImageFile.Pattern(0, 512));
        for (ulong sector = 1; sector < (150 << 11) + 8; sector += 1 << 11)
        {
            _file.Bytes(sector, (int)Math.Min(1ul << 11, (150 << 11) + 8 - sector) * 512).AsSpan().ContainsAnyExcept((byte)0).Should().BeFalse();
        }

        _file.Bytes((150 << 11) + 8, 512).Should().Equal(ImageFile.Pattern(15, 512));
    }

    [Theory]
    [InlineData(0u, null)]
    [InlineData(Unmap, null)]
    [InlineData(0u, "/dev/shm")] // tmpfs has holes, but can't zero a range
    [InlineData(Unmap, "/dev/shm")]
    public void WriteZeroes_WhateverTheFileSystemCan_AreZeros(uint flags, string? parent)
    {
        using ImageFile file = new(parent: parent);
        using BlockGuest guest = new(file.Path);
        guest.Ranges(WriteZeroesType, (3, 5001, flags)).Should().Be(Ok);

        file.Bytes(3, 5001 * 512).Should().OnlyContain(b => b == 0);
        file.Bytes(0, 3 * 512).Should().Equal(ImageFile.Pattern(0, 3 * 512));
        file.Bytes(5004, 512).Should().Equal(ImageFile.Pattern(5004, 512));
    }

    /// <summary>What can't go to the storage as it is goes through a buffer, which has held other bytes.</summary>
    [Fact]
    public void WriteZeroes_OfPartOfABlockPastThePageCache_LeavesNothingOfOtherRequests()
    {
        using LargeBlockFolder folder = new();
        using ImageFile file = new(parent: folder.Path);
        using BlockGuest guest = new(file.Path, "cache=none");
        guest.Image.Alignment.Should().Be(4096);
        ulong at = guest.Allocate(8192, 4096) + 16;
        guest.Request(In, 800, DriverBuffer.Writable(at, 4096)).Should().Be((Ok, 4097u));

        // Whether the last sector can be written is the file system's business.
        guest.Ranges(WriteZeroesType, (8, 129, 0));
        file.Bytes(8, 128 * 512).AsSpan().ContainsAnyExcept((byte)0).Should().BeFalse();
    }

    [Fact]
    public void WriteCache_SetByTheDriver_IsReadBackAndForgottenByAReset()
    {
        using BlockGuest guest = new(_file.Path);
        guest.Driver.Transport.Write((ulong)VirtioMmioRegister.Config + 32, [0]);
        guest.Driver.ReadConfig(32, 1)[0].Should().Be(0);
        guest.Write(1, ImageFile.Pattern(50, 512)).Should().Be(Ok);

        guest.Start(Writable & ~VirtioBlockFeatures.ConfigWriteCache);
        guest.Driver.ReadConfig(32, 1)[0].Should().Be(1);
        guest.Driver.Transport.Write((ulong)VirtioMmioRegister.Config + 32, [0]);
        guest.Driver.ReadConfig(32, 1)[0].Should().Be(1, "it is not negotiated");
    }

    [Fact]
    public void ReadOnlyImage_IsOfferedSo_AndNotWritten()
    {
        using BlockGuest guest = new(_file.Path, "readonly=on");
        ulong offered = guest.Driver.OfferedFeatures;
        (offered & VirtioBlockFeatures.ReadOnly).Should().NotBe(0);
        (offered & (VirtioBlockFeatures.Discard | VirtioBlockFeatures.WriteZeroes | VirtioBlockFeatures.Flush)).Should().Be(0);
        guest.Write(0, new byte[512]).Should().Be(IoError);
        guest.Ranges(DiscardType, (0, 8, 0)).Should().Be(Unsupported);
        guest.Read(0, 512).Should().Equal(ImageFile.Pattern(0, 512));
        _file.Bytes(0, 512).Should().Equal(ImageFile.Pattern(0, 512));
    }

    [Fact]
    public void Queues_EachHasAThread_AndAllSeeOneDisk()
    {
        using BlockGuest guest = new(_file.Path, "queues=4", BlockGuest.Writable | VirtioBlockFeatures.MultiQueue, queues: 4);
        for (int queue = 0; queue < 4; queue++)
        {
            ulong status = guest.Allocate(1);
            byte[] bytes = ImageFile.Pattern(500 + (ulong)queue, 512);
            guest.Send(status, queue, guest.Header(Out, (ulong)queue), DriverBuffer.Readable(guest.Put(bytes), 512), DriverBuffer.Writable(status, 1)).Status.Should().Be(Ok);
            guest.Read((ulong)queue, 512).Should().Equal(bytes);
            guest.Device.Metrics[queue].Writes.Should().Be(1);
        }
    }

    [Fact]
    public void Pause_KeepsRequestsInTheRing_AndResumeServesThem()
    {
        using BlockGuest guest = new(_file.Path);
        guest.Driver.Transport.Pause();
        ulong status = guest.Allocate(1);
        guest.Driver.Memory.Write(new GuestAddress(status), [NoStatus]);
        guest.Driver.Queues[0].Add([guest.Header(FlushType, 0), DriverBuffer.Writable(status, 1)]);
        guest.Driver.Notify(0);
        guest.Driver.Queues[0].TryGetUsed(out _, out _).Should().BeFalse();
        guest.Get(status, 1)[0].Should().Be(NoStatus);

        guest.Driver.Transport.Resume();
        guest.Await(status).Status.Should().Be(Ok);
    }

    /// <summary>Whatever a pause comes in between, each request is answered once and what was written is there.</summary>
    [Theory]
    [InlineData("cache=writeback")]
    [InlineData("cache=none")]
    public void PausesAtAnyMoment_LoseNothing(string cache)
    {
        using ImageFile file = new(16 << 20);
        using BlockGuest guest = new(file.Path, cache);
        ulong data = guest.Put(ImageFile.Pattern(9, 2 << 20), 4096);
        ulong status = guest.Allocate(1);
        for (int i = 0; i < 150; i++)
        {
            guest.Driver.Memory.Write(new GuestAddress(status), [NoStatus]);
            ulong header = guest.Header(i % 5 == 4 ? FlushType : Out, (ulong)(i % 4) * 4096).Address.Value;
            DriverBuffer[] chain = i % 5 == 4
                ? [DriverBuffer.Readable(header, 16), DriverBuffer.Writable(status, 1)]
                : [DriverBuffer.Readable(header, 16), DriverBuffer.Readable(data, 1 << 20), DriverBuffer.Readable(data + (1 << 20), 1 << 20), DriverBuffer.Writable(status, 1)];
            guest.Driver.Queues[0].Add(chain);
            guest.Driver.Notify(0);
            for (int pause = 0; pause < 3; pause++)
            {
                Thread.SpinWait(i * 200);
                guest.Driver.Transport.Pause();
                guest.Driver.Transport.Resume();
            }

            guest.Await(status).Status.Should().Be(Ok);
        }

        guest.Driver.Queues[0].TryGetUsed(out _, out _).Should().BeFalse();
        for (ulong part = 0; part < 4; part++)
        {
            file.Bytes(part * 4096, 2 << 20).AsSpan().SequenceEqual(ImageFile.Pattern(9, 2 << 20)).Should().BeTrue();
        }
    }

    [Fact]
    public void Requests_OnceRunning_AllocateNothing()
    {
        using BlockGuest guest = new(_file.Path);
        ulong status = guest.Allocate(1);
        ulong data = guest.Allocate(4096, 4096);
        ulong[] headers = [.. ((int[])[In, Out, FlushType, GetIdType, DiscardType]).Select(type => guest.Header(type, 8).Address.Value)];
        ulong range = guest.Put([8, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0]);
        BlockQueue queue = guest.Device.GetQueue(0);

        // Answered by the device's own thread, which has nothing to do then: to wait for each other would cost an object.
        guest.Read(0, 512);
        AllocationMeter meter = new();
        while (meter.WantsMore)
        {
            int kind = meter.Steps % headers.Length;
            DriverBuffer header = DriverBuffer.Readable(headers[kind], 16);
            DriverBuffer end = DriverBuffer.Writable(status, 1);
            ReadOnlySpan<DriverBuffer> chain = kind switch
            {
                0 or 3 => [header, DriverBuffer.Writable(data, 4096), end],
                1 => [header, DriverBuffer.Readable(data, 4096), end],
                4 => [header, DriverBuffer.Readable(range, 16), end],
                _ => [header, end],
            };
            guest.Driver.Queues[0].Add(chain);
            meter.Measure(() => queue.OnDoorbell(ReadyEvents.In));
            guest.Driver.Queues[0].TryGetUsed(out _, out _).Should().BeTrue();
            guest.Get(status, 1)[0].Should().Be(Ok);
        }

        meter.Least.Should().Be(0);
    }

    public void Dispose() => _file.Dispose();
}
