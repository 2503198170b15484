using System.Runtime.CompilerServices;
using Vmm.Testing.Network;

namespace Vmm.Backends.Tap.Tests;

/// <summary>A test on a real TAP in a network namespace of its own; skipped, with the reason, where that can't be made.</summary>
public sealed class TapFactAttribute : FactAttribute
{
    public TapFactAttribute([CallerFilePath] string? file = null, [CallerLineNumber] int line = -1) : base(file, line) => Skip = NetworkTestbed.Missing;
}
