using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Vmm.Core.State;

/// <summary>How one number of type <typeparamref name="T"/> stands on the wire.</summary>
internal static class StateNumber<T> where T : unmanaged
{
    /// <summary>QEMU's name of the type: bool, int8 to int64, uint8 to uint64.</summary>
    public static readonly string TypeName = Name();

    public static int Size => Unsafe.SizeOf<T>();

    public static void Write(scoped Span<byte> target, T value)
    {
        switch (Size)
        {
            case 1:
                target[0] = Unsafe.BitCast<T, byte>(value);
                break;
            case 2:
                BinaryPrimitives.WriteUInt16BigEndian(target, Unsafe.BitCast<T, ushort>(value));
                break;
            case 4:
                BinaryPrimitives.WriteUInt32BigEndian(target, Unsafe.BitCast<T, uint>(value));
                break;
            default:
                BinaryPrimitives.WriteUInt64BigEndian(target, Unsafe.BitCast<T, ulong>(value));
                break;
        }
    }

    /// <summary>False when the bytes are no value of the type: a bool that is neither 0 nor 1.</summary>
    public static bool TryRead(scoped ReadOnlySpan<byte> source, out T value)
    {
        switch (Size)
        {
            case 1:
                bool valid = typeof(T) != typeof(bool) || source[0] <= 1;
                value = valid ? Unsafe.BitCast<byte, T>(source[0]) : default;
                return valid;
            case 2:
                value = Unsafe.BitCast<ushort, T>(BinaryPrimitives.ReadUInt16BigEndian(source));
                return true;
            case 4:
                value = Unsafe.BitCast<uint, T>(BinaryPrimitives.ReadUInt32BigEndian(source));
                return true;
            default:
                value = Unsafe.BitCast<ulong, T>(BinaryPrimitives.ReadUInt64BigEndian(source));
                return true;
        }
    }

    private static string Name()
    {
        Type type = typeof(T).IsEnum ? Enum.GetUnderlyingType(typeof(T)) : typeof(T);
        if (type == typeof(bool))
        {
            return "bool";
        }

        bool signed = type == typeof(sbyte) || type == typeof(short) || type == typeof(int) || type == typeof(long);
        return (Size, signed) switch
        {
            (1, false) => "uint8",
            (2, false) => "uint16",
            (4, false) => "uint32",
            (8, false) => "uint64",
            (1, true) => "int8",
            (2, true) => "int16",
            (4, true) => "int32",
            (8, true) => "int64",
            _ => throw new NotSupportedException($"{typeof(T)} of {Size} bytes is no number that a state can have; describe it as bytes or as a struct."),
        };
    }
}
