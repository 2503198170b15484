using Vmm.Core.State;

namespace Vmm.Core.Consoles;

/// <summary>A console on its way to another process.</summary>
/// <param name="save">The state of one that is suspended.</param>
/// <param name="load">Takes over a state; nothing is read or written yet.</param>
/// <param name="check">Whether the open files are what the console needs: null, or a clause that says why not.</param>
internal sealed class ConsoleSection(Func<ConsoleState> save, Action<ConsoleState> load, Func<ConsoleState, string?>? check = null) : StateSection<ConsoleState>("console", Kind)
{
    private ConsoleState _collected;

    public static StateKind<ConsoleState> Kind { get; } = new(version: 1, example: () => ConsoleState.Empty() with { Output = [0], Input = [0], Mode = [0], Files = [null] });

    protected override ref ConsoleState Collect()
    {
        _collected = save();
        return ref _collected;
    }

    protected override ConsoleState Prepare() => ConsoleState.Empty();

    protected override string? Check(in ConsoleState state) => check?.Invoke(state);

    protected override void Apply(ref ConsoleState state) => load(state);
}
