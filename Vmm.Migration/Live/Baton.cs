using Vmm.Core.Linux;

namespace Vmm.Migration.Live;

/// <summary>
/// Who may run the guest: one word in memory that source and destination share. It changes hands by one atomic instruction, so at every
/// moment, whoever of the two is killed or stopped, exactly one may run the guest, and both can find out who.
/// </summary>
/// <remarks>
/// <code>
/// Source  --Offer-->  Offered  --TryTake (destination)-->  Destination        for good
///    ^-----------TryWithdraw (source)-----'
/// </code>
/// </remarks>
internal sealed class Baton : IDisposable
{
    private readonly SharedWord _word;

    private Baton(SharedWord word) => _word = word;

    /// <summary>Who has it.</summary>
    public BatonOwner Owner => (BatonOwner)_word.Value;

    /// <summary>For the other process.</summary>
    public FileDescriptor File => _word.File;

    /// <summary>A new one, with the source.</summary>
    public static Baton Create() => new(SharedWord.Create("vmm-baton"));

    /// <summary>The destination's view of it. Owns <paramref name="file"/> when it returns.</summary>
    public static Baton Adopt(FileDescriptor file) => new(SharedWord.Adopt(file, "the baton"));

    /// <summary>The source: the guest is paused, and its state is on the way.</summary>
    public bool TryOffer() => Change(BatonOwner.Source, BatonOwner.Offered);

    /// <summary>The source: it wants the guest back. False when the destination has taken it; then the source never runs the guest again.</summary>
    public bool TryWithdraw() => Change(BatonOwner.Offered, BatonOwner.Source) || Owner == BatonOwner.Source;

    /// <summary>The destination: it is about to run the guest. False when the source has gone back; then the destination never runs it.</summary>
    public bool TryTake() => Change(BatonOwner.Offered, BatonOwner.Destination);

    public void Dispose() => _word.Dispose();

    private bool Change(BatonOwner from, BatonOwner to) => _word.TryChange((int)from, (int)to);
}
