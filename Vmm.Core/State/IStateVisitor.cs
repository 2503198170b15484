using Vmm.Core.Linux;

namespace Vmm.Core.State;

/// <summary>
/// What is done with a description: writing, reading, printing. All numbers travel big endian, a bool as one byte, a nested struct as its
/// rows with nothing around them (QEMU's migration stream, version 3).
/// </summary>
/// <remarks>
/// <c>since</c> is the version of the section, or of the innermost subsection, in which the row came in; a stream of an older version does
/// not have it, and loading leaves the field as it was.
/// </remarks>
public interface IStateVisitor
{
    /// <summary>The version of the section or subsection that is visited.</summary>
    int Version { get; }

    /// <summary>True when rows are filled in rather than looked at.</summary>
    bool IsLoading { get; }

    /// <summary>A number, an enum, a bool, or a struct around one number such as an address.</summary>
    void Field<T>(string name, scoped ref T value, int since = 1) where T : unmanaged;

    /// <summary>Numbers, always as many as the span has.</summary>
    void Each<T>(string name, scoped Span<T> values, int since = 1) where T : unmanaged;

    /// <summary>Bytes, always as many as the span has.</summary>
    void Bytes(string name, scoped Span<byte> value, int since = 1);

    /// <summary>How many elements the next row has; loading refuses more than <paramref name="limit"/>. 32 bits on the wire.</summary>
    void Count(string name, scoped ref int count, int limit, int since = 1);

    /// <summary>A nested struct.</summary>
    void Struct<T>(string name, scoped ref T value, int since = 1) where T : IDescribed<T>;

    /// <summary>
    /// Nested structs, always as many as the span has. Each has a row of its own before its subsections, so that one's subsections can't be
    /// taken for the next one's.
    /// </summary>
    void Structs<T>(string name, scoped Span<T> values, int since = 1) where T : IDescribed<T>;

    /// <summary>
    /// What only some states have. It travels under its own name and version, after all rows; a reader that does not know it refuses the
    /// stream, one that does not find it leaves <paramref name="value"/> as it was.
    /// </summary>
    /// <param name="name">As on the wire: <c>PARENT/name</c>, where PARENT is the <see cref="IDescribed{TSelf}.StateName"/> of the struct.</param>
    /// <param name="version">The present version; <paramref name="minimum"/> is the oldest that can be read.</param>
    /// <param name="needed">Whether it is saved. Loading does not look at it.</param>
    void Subsection<T>(string name, int version, int minimum, bool needed, scoped ref T value) where T : IDescribed<T>;

    /// <summary>An open file, which travels beside the stream; one byte in it keeps its place.</summary>
    void Descriptor(string name, scoped ref FileDescriptor? file, int since = 1);
}
