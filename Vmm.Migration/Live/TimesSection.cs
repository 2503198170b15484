using Vmm.Core.State;

namespace Vmm.Migration.Live;

/// <summary>The source's times, the last section of every stream of state: the destination reports all of them.</summary>
internal sealed class TimesSection() : StateSection<MigrationTimes>("migration", Kind)
{
    /// <summary>What it is made of.</summary>
    public static readonly StateKind<MigrationTimes> Kind = new(version: 1);

    private MigrationTimes _times;

    public ref MigrationTimes Times => ref _times;

    protected override ref MigrationTimes Collect()
    {
        _times.Saved = MonotonicClock.Now;
        return ref _times;
    }

    protected override MigrationTimes Prepare() => default;

    protected override void Apply(ref MigrationTimes state) => _times = state;
}
