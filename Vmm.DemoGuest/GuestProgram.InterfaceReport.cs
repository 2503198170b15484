using static Iced.Intel.AssemblerRegisters;

namespace Vmm.DemoGuest;

/// <content>The line that says how an interface was started.</content>
internal sealed partial class GuestProgram
{
    private void PrintInterface()
    {
        Print("demo guest: net");
        PrintField(InterfaceLayout.Index, PutDecimal);
        Print(" mac ");
        for (int i = 0; i < 6; i++)
        {
            if (i > 0)
            {
                c.mov(al, (sbyte)':');
                c.call(To(PutCharacter));
            }
            c.mov(al, __byte_ptr[rbx + (InterfaceLayout.MacAddress + i)]);
            c.call(To(PutByte));
        }
        Print(" ip ");
        for (int i = 0; i < 4; i++)
        {
            if (i > 0)
            {
                c.mov(al, (sbyte)'.');
                c.call(To(PutCharacter));
            }
            c.movzx(eax, __byte_ptr[rbx + (InterfaceLayout.Address + i)]);
            c.call(To(PutDecimal));
        }
        Print(" pairs ");
        PrintField(InterfaceLayout.PairCount, PutDecimal);
        Print(" ring ");
        PrintField(InterfaceLayout.RingSize, PutDecimal);
        Print(" mtu ");
        PrintField(InterfaceLayout.Mtu, PutDecimal);
        Print(" features ");
        c.mov(rax, __qword_ptr[rbx + InterfaceLayout.Features]);
        c.call(To(PutHexadecimal));
        PrintLineEnd();
        c.ret();
    }

    private void PrintField(int field, Action put)
    {
        c.mov(eax, __dword_ptr[rbx + field]);
        c.call(To(put));
    }
}
