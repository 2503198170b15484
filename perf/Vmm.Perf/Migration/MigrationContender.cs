using Vmm.Perf.Compare;

namespace Vmm.Perf.Migration;

/// <summary>A way to get a running guest into a new process of the same program.</summary>
internal abstract class MigrationContender
{
    /// <summary>The table's row.</summary>
    public abstract string Name { get; }

    /// <summary>How the guest is started.</summary>
    public abstract Contender Source { get; }

    /// <summary>Where QMP is.</summary>
    public abstract string Socket { get; }

    /// <summary>Hands the guest over.</summary>
    /// <param name="source">The line to the process that runs it.</param>
    /// <param name="destination">The new process, when it has to be looked after.</param>
    public abstract HandOver Move(QmpLine source, out IDisposable? destination);

    /// <summary>Takes away what the processes have left.</summary>
    public virtual void CleanUp()
    {
    }
}
