using Vmm.Core.Memory;
using Vmm.Core.State;
using Vmm.Migration.Live;

namespace Vmm.Migration.Stream;

/// <summary>A machine that is to be, from a stream. The members are called in this order.</summary>
public interface IStreamDestination
{
    /// <summary>Everything that stands against taking this machine over, or nothing. Which versions it wants is not asked: the source does not listen.</summary>
    Verdict Examine(Manifest manifest);

    /// <summary>Builds the whole machine, its memory all zeros.</summary>
    void Prepare();

    /// <summary>Of the size that the manifest says.</summary>
    GuestMemory Memory { get; }

    /// <summary>The machine's sections, in the order of the manifest. All are loaded before any is applied.</summary>
    IReadOnlyList<IStateSection> State { get; }

    /// <summary>Called where no source waits for an answer, after all was read: what another process still has of the machine, it won't give up for it. Throws when the guest can't run without it.</summary>
    void Claim()
    {
    }

    /// <summary>Runs the guest. From here on nothing may fail.</summary>
    void Run();
}
