using Iced.Intel;

namespace Vmm.DemoGuest;

/// <summary>
/// The guest's code. Each private method without parameters that is handed to <see cref="To"/> is one routine: the method emits
/// it, and it is emitted once, when something refers to it.
/// </summary>
/// <remarks>
/// Registers, unless a routine says otherwise: RBX the interface (<see cref="InterfaceLayout"/>), RBP the queue pair
/// (<see cref="QueuePairLayout"/>); while a frame is handled, R15 its virtio_net_hdr (the frame follows), R14D the bytes in its
/// first buffer, R13D its bytes in all (both with the header), R12D its first descriptor. These are kept by every routine; the others
/// are scratch.
/// The main loop runs in ring 3, with pages, ports and interrupts such that it seldom needs ring 0: some
/// hypervisors run ring 0 a thousand times slower. No routine uses SSE.
/// </remarks>
internal sealed partial class GuestProgram(TextTable texts)
{
    private readonly Assembler c = new(64);
    private readonly Dictionary<Action, Label> _routines = [];
    private readonly Queue<Action> _unwritten = [];

    /// <summary>Address of the handler of each vector.</summary>
    public ulong[] InterruptHandlers { get; } = new ulong[LastVector + 1];

    /// <summary>Address of the 64-bit entry.</summary>
    public ulong LongModeEntry { get; private set; }

    /// <summary>Assembles the code segment, which starts at <see cref="GuestLayout.Image"/>.</summary>
    public byte[] Assemble()
    {
        PlaceRing0Gate();
        c.jmp(To(EnterUserMode)); // GuestLayout.AfterProtectedMode
        To(StartInLongMode);
        Action[] handlers = [.. Enumerable.Range(0, InterruptHandlers.Length).Select(InterruptHandler)];
        foreach (Action handler in handlers)
        {
            To(handler);
        }
        while (_unwritten.TryDequeue(out Action? routine))
        {
            Label start = _routines[routine];
            Place(ref start);
            _routines[routine] = start;
            routine();
        }

        using var output = new MemoryStream();
        AssemblerResult result = c.Assemble(
            new StreamCodeWriter(output), GuestLayout.LongModeCode, BlockEncoderOptions.ReturnNewInstructionOffsets);
        LongModeEntry = result.GetLabelRIP(_routines[StartInLongMode]);
        for (int i = 0; i < handlers.Length; i++)
        {
            InterruptHandlers[i] = result.GetLabelRIP(_routines[handlers[i]]);
        }
        return Join(new ProtectedModeEntry(texts).Assemble(), output.ToArray());
    }

    private static byte[] Join(byte[] protectedMode, byte[] longMode)
    {
        int length = GuestLayout.LongModeCode - GuestLayout.Image + longMode.Length;
        if (GuestLayout.ProtectedModeCode + protectedMode.Length > GuestLayout.LongModeCode
            || GuestLayout.Image + length > GuestLayout.CodeEnd)
        {
            throw new InvalidOperationException("The guest's code is longer than the space laid out for it.");
        }
        byte[] segment = new byte[length];
        protectedMode.CopyTo(segment, GuestLayout.ProtectedModeCode - GuestLayout.Image);
        longMode.CopyTo(segment, GuestLayout.LongModeCode - GuestLayout.Image);
        return segment;
    }

    /// <summary>Label of a routine, which is emitted later if it was not yet.</summary>
    private Label To(Action routine)
    {
        if (!_routines.TryGetValue(routine, out Label label))
        {
            label = c.CreateLabel();
            _routines.Add(routine, label);
            _unwritten.Enqueue(routine);
        }
        return label;
    }

    /// <summary>Puts a label here; unlike <see cref="Assembler.Label(ref Label)"/> alone, several may be at one place.</summary>
    private void Place(ref Label label)
    {
        c.Label(ref label);
        c.zero_bytes();
    }
}
