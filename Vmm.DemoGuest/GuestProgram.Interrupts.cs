using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.DemoGuest;

/// <content>Everything that runs in ring 0 after the start: interrupt handlers, exceptions, and calls from ring 3.</content>
/// <remarks>
/// An interrupt handler only sets its interface's flag; the main loop, in ring 3, acknowledges the device. The end of interrupt
/// is written in ring 0, on the way to HLT: until then the loop looks at every ring anyway. All interfaces' vectors are of one
/// priority class, so at most one of them is in service at any time, and one flag says that its end is due. A class has 16 vectors: interfaces
/// above the sixteenth share those of the first ones, and both are looked at when one interrupts.
/// </remarks>
internal sealed partial class GuestProgram
{
    private const int InvalidOpcode = 6;
    private const int Exceptions = 32;
    private const int FirstInterfaceVector = 0x40;
    private const int InterfaceVectors = 16;
    private const int SpuriousVector = 0x3F;
    private const int LastVector = FirstInterfaceVector + InterfaceVectors - 1;

    private const int Ring0Idle = 0;
    private const int Ring0EndInterrupt = 1;
    private const int Ring0TripleFault = 2;
    private const int Ring0Hang = 3;

    /// <summary>Vectors for which the processor pushes an error code.</summary>
    private const uint WithErrorCode = (1u << 8) | (0x1Fu << 10) | (1u << 17) | (1u << 21) | (1u << 29) | (1u << 30);

    private Action InterruptHandler(int vector) => vector switch
    {
        InvalidOpcode => HandleInvalidOpcode,
        < Exceptions => ExceptionHandlers[vector],
        >= FirstInterfaceVector => InterfaceHandlers[vector - FirstInterfaceVector],
        _ => IgnoreInterrupt,
    };

    private Action[] ExceptionHandlers => field ??= Handlers(Exceptions, HandleException);

    private Action[] InterfaceHandlers => field ??= Handlers(InterfaceVectors, HandleInterface);

    private static Action[] Handlers(int count, Action<int> emit) =>
        [.. Enumerable.Range(0, count).Select(number => (Action)(() => emit(number)))];

    private void IgnoreInterrupt() => c.iretq();

    private void HandleInterface(int vector)
    {
        int interfaces = 0;
        for (int index = vector; index < GuestLayout.MaximumInterfaces; index += InterfaceVectors)
        {
            interfaces |= 1 << index;
        }
        Label inRing3 = c.CreateLabel();
        c.or(__dword_ptr[Variables.PendingInterrupts], interfaces);
        // In ring 0 it can only be at the hlt, or before it on a processor that forgets the shadow of sti (QEMU's, in a nested guest): back to ring 3 at once.
        c.test(__byte_ptr[rsp + 8], 3);
        c.jne(inRing3);
        c.mov(rsp, __qword_ptr[rsp + 24]);
        Place(ref inRing3);
        c.iretq();
    }

    private void HandleException(int vector)
    {
        if ((WithErrorCode >> vector & 1) == 0)
        {
            c.push(0);
        }
        c.push(vector);
        c.jmp(To(ReportException));
    }

    /// <summary>Enters ring 0 for a function; changes RAX and RDI. (syscall is no alternative: it may stay in ring 3.)</summary>
    private void CallRing0(int function)
    {
        c.mov(edi, function);
        c.call(GuestLayout.Ring0Gate);
    }

    private void PlaceRing0Gate()
    {
        c.ud2();
        c.ret();
        c.nop();
    }

    /// <summary>#UD: a call from <see cref="GuestLayout.Ring0Gate"/> with the function in EDI, or an exception like any other.</summary>
    private void HandleInvalidOpcode()
    {
        Label other = c.CreateLabel(), exception = c.CreateLabel(), resume = c.CreateLabel();
        Label hang = c.CreateLabel(), idle = c.CreateLabel();
        c.cmp(__qword_ptr[rsp], GuestLayout.Ring0Gate);
        c.jne(exception);
        c.add(__qword_ptr[rsp], 2);
        c.cmp(edi, Ring0EndInterrupt);
        c.ja(other);
        c.cmp(__byte_ptr[Variables.EndOfInterruptDue], 0);
        c.je(idle);
        c.mov(__byte_ptr[Variables.EndOfInterruptDue], 0);
        c.mov(eax, unchecked((int)LocalApicEndOfInterrupt));
        c.mov(__dword_ptr[rax], 0);
        Place(ref idle);
        c.cmp(edi, Ring0Idle);
        c.jne(resume);
        // ORDER: interrupts are off since the gate; sti takes effect after the next instruction, so an interrupt that comes
        // after this look at the flags ends the hlt.
        c.cmp(__dword_ptr[Variables.PendingInterrupts], 0);
        c.jne(resume);
        c.sti();
        c.hlt();
        Place(ref resume);
        c.iretq();

        Place(ref other);
        c.cmp(edi, Ring0TripleFault);
        c.jne(hang);
        c.lidt(__[DataSegment.NoDescriptorsPointer]);
        c.ud2(); // A fault: some emulators can't do int3 here.
        Place(ref hang);
        c.cli();
        c.hlt();
        c.jmp(hang);

        Place(ref exception);
        HandleException(InvalidOpcode);
    }

    /// <summary>Stack: vector, error code, RIP, CS, RFLAGS, RSP, SS. Prints one line and leaves by the debug exit.</summary>
    private void ReportException()
    {
        Label hang = c.CreateLabel();
        PrintLineEnd();
        Print("demo guest: exception vector ");
        c.mov(rax, __qword_ptr[rsp]);
        c.call(To(PutHexadecimal));
        Print(" error ");
        c.mov(rax, __qword_ptr[rsp + 8]);
        c.call(To(PutHexadecimal));
        Print(" rip ");
        c.mov(rax, __qword_ptr[rsp + 16]);
        c.call(To(PutHexadecimal));
        Print(" cr2 ");
        c.mov(rax, cr2);
        c.call(To(PutHexadecimal));
        PrintLineEnd();
        c.mov(rax, __qword_ptr[rsp]);
        c.add(al, DemoGuestImage.ExceptionExit);
        c.mov(dx, 0x501);
        c.@out(dx, al);
        Place(ref hang);
        c.cli();
        c.hlt();
        c.jmp(hang);
    }
}
