using Iced.Intel;
using Microsoft.Extensions.Logging.Abstractions;
using Vmm.Core.Bus;
using Vmm.Core.Hypervisor;
using Vmm.Core.Machine;
using Vmm.Core.Memory;
using Vmm.Core.State;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Kvm.Tests.Guests;

/// <summary>A machine with RAM, two buses and a lifetime, running a program made by the assembler.</summary>
internal sealed class GuestMachine : IDisposable
{
    private IReadOnlyList<IStateSection>? _sections;

    internal const ulong CodeAddress = 0x10_0000;
    internal const ulong MmioAddress = 0xD000_0000;
    internal const ulong StackTop = 0x8_0000;

    /// <summary>A write here ends the machine with the byte as its status.</summary>
    internal const ushort ExitPort = 0x501;

    internal const ulong PageTable = 0x1000;
    internal const ulong DescriptorTable = 0x800;

    internal GuestMachine(ulong memorySize = 16 << 20, KvmOptions? options = null, GuestMemory? memory = null)
    {
        RequireKvm();
        Memory = memory ?? GuestMemory.Create(new GuestMemoryOptions(memorySize));
        Ports.Add(ExitPort, 1, new TestDevice { OnWrite = (_, data) => Lifetime.End(new GuestEnd(GuestEndCause.DebugExit, data[0])) });
        Vm = new KvmVirtualMachine(new VirtualMachineConfig(Ports, Mmio, Lifetime, NullLogger.Instance), options ?? new KvmOptions());
        Vm.MapMemory(Memory);
    }

    internal AddressBus Ports { get; } = new("ports");

    internal AddressBus Mmio { get; } = new("mmio");

    internal MachineLifetime Lifetime { get; } = new();

    internal GuestMemory Memory { get; }

    internal KvmVirtualMachine Vm { get; }

    /// <summary>Made when they are first asked for; the vCPUs exist by then.</summary>
    internal IReadOnlyList<IStateSection> Sections => _sections ??= Vm.CreateStateSections();

    /// <summary>Without /dev/kvm the tests that need it say so.</summary>
    internal static void RequireKvm()
    {
        try
        {
            using var kvm = new FileStream("/dev/kvm", FileMode.Open, FileAccess.ReadWrite);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Assert.Skip($"needs /dev/kvm: {exception.Message}");
        }
    }

    internal void Load(ulong address, int bitness, Action<Assembler> program)
    {
        var assembler = new Assembler(bitness);
        program(assembler);
        using var stream = new MemoryStream();
        assembler.Assemble(new StreamCodeWriter(stream), address);
        Memory.Write(new GuestAddress(address), stream.ToArray());
    }

    /// <summary>Runs a 32-bit program with flat segments and no paging.</summary>
    internal void Start32(Action<Assembler> program, int cpuCount = 1)
    {
        Load(CodeAddress, 32, program);
        Vm.Start(cpuCount, new CpuEntry(CpuMode.Protected32, new GuestAddress(CodeAddress), new GuestAddress(0x6000)));
    }

    /// <summary>Runs a 64-bit program with the first 4 GiB mapped to themselves in 2 MiB pages.</summary>
    internal void Start64(Action<Assembler> program, int cpuCount = 1)
    {
        WriteLongModeTables();
        Load(CodeAddress, 64, program);
        StartLoaded64(cpuCount);
    }

    /// <summary>Runs what is loaded already, tables included.</summary>
    internal void StartLoaded64(int cpuCount = 1)
    {
        Vm.Start(cpuCount, new CpuEntry(
            CpuMode.Long64, new GuestAddress(CodeAddress), new GuestAddress(0x6000), new GuestAddress(PageTable), new GuestAddress(DescriptorTable)));
    }

    /// <param name="user">Page table bit 2: lets ring 3 use the memory, too.</param>
    internal void WriteLongModeTables(ulong user = 0)
    {
        // The last two are ring 3's data and code.
        ulong[] descriptors = [0, 0x00CF_9B00_0000_FFFF, 0x00CF_9300_0000_FFFF, 0, 0x00AF_9B00_0000_FFFF, 0x00CF_F300_0000_FFFF, 0x00AF_FB00_0000_FFFF];
        for (int i = 0; i < descriptors.Length; i++)
        {
            Put(DescriptorTable + (ulong)i * 8, descriptors[i]);
        }

        Put(PageTable, (PageTable + 0x1000) | 3 | user);
        for (ulong gib = 0; gib < 4; gib++)
        {
            ulong directory = PageTable + 0x2000 + gib * 0x1000;
            Put(PageTable + 0x1000 + gib * 8, directory | 3 | user);
            for (ulong i = 0; i < 512; i++)
            {
                Put(directory + i * 8, ((gib << 30) + (i << 21)) | 0x83 | user);
            }
        }
    }

    internal void Put<T>(ulong address, T value) where T : unmanaged => Memory.TryWrite(new GuestAddress(address), value).Should().BeTrue();

    internal T Get<T>(ulong address) where T : unmanaged
    {
        Memory.TryRead(new GuestAddress(address), out T value).Should().BeTrue();
        return value;
    }

    internal GuestEnd WaitForEnd()
    {
        Lifetime.Completion.Wait(TimeSpan.FromSeconds(30)).Should().BeTrue("the guest should have ended");
        return Lifetime.Completion.Result;
    }

    /// <summary>Waits until a 32-bit counter in RAM has gone past a value.</summary>
    internal void WaitForCounter(ulong address, uint above)
    {
        SpinWait.SpinUntil(() => Get<uint>(address) > above || Lifetime.HasEnded, TimeSpan.FromSeconds(30)).Should().BeTrue("the guest should count");
        Lifetime.HasEnded.Should().BeFalse(Lifetime.HasEnded ? Lifetime.Completion.Result.Report : "");
    }

    public void Dispose()
    {
        Vm.Dispose();
        Memory.Dispose();
    }

    /// <summary>mov dx, port; out dx, al.</summary>
    internal static void Exit(Assembler c, byte status)
    {
        c.mov(al, status);
        c.mov(dx, ExitPort);
        c.@out(dx, al);
        Assembler stop = c;
        Label again = stop.CreateLabel();
        stop.Label(ref again);
        stop.hlt();
        stop.jmp(again);
    }
}
