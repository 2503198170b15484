using System.Runtime.CompilerServices;
using Vmm.Core.Linux;
using Vmm.Core.State;

namespace Vmm.Migration.Tests.Conformance;

/// <summary>A visitor that gives every row a value of its own, never zero, and bools the other one; the same for the same seed.</summary>
internal sealed class StateFiller(uint seed) : IStateVisitor
{
    private static readonly FileDescriptor s_file = FileDescriptor.Open("/dev/null", 0);

    /// <summary>The first seeds use all of a number; the others are for states that only take a small one, or a list of one length.</summary>
    private readonly bool _isPlain = seed < 1000;

    private ulong _state = seed * 0x9e37_79b9_7f4a_7c15ul + 1;

    public int Version => int.MaxValue;

    public bool IsLoading => true;

    public void Field<T>(string name, scoped ref T value, int since = 1) where T : unmanaged => value = Number(value);

    public void Each<T>(string name, scoped Span<T> values, int since = 1) where T : unmanaged
    {
        foreach (ref T value in values)
        {
            value = Number(value);
        }
    }

    public void Bytes(string name, scoped Span<byte> value, int since = 1) => Each(name, value, since);

    public void Count(string name, scoped ref int count, int limit, int since = 1) => count = _isPlain || limit > 64 ? Math.Min(limit, 5) : limit;

    public void Struct<T>(string name, scoped ref T value, int since = 1) where T : IDescribed<T>
    {
        StateFiller self = this;
        T.Describe(ref self, ref value);
    }

    public void Structs<T>(string name, scoped Span<T> values, int since = 1) where T : IDescribed<T>
    {
        foreach (ref T value in values)
        {
            Struct(name, ref value);
        }
    }

    public void Subsection<T>(string name, int version, int minimum, bool needed, scoped ref T value) where T : IDescribed<T>
        => Struct(name, ref value);

    public void Descriptor(string name, scoped ref FileDescriptor? file, int since = 1) => file = s_file;

    private T Number<T>(T old) where T : unmanaged
    {
        ulong number = 0;
        for (int i = 0; i < 8; i++)
        {
            // Knuth's MMIX constants: the values must stay as they are when the runtime's generator changes.
            _state = _state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407;
            number = number << 8 | (_state >> 33) % 255 + 1;
        }

        number = _isPlain ? number : number & 0xff_ffff_ffff;
        number = typeof(T) == typeof(bool) ? Unsafe.BitCast<T, byte>(old) ^ 1ul : number;
        return Unsafe.As<ulong, T>(ref number);
    }
}
