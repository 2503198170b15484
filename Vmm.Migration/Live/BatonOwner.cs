namespace Vmm.Migration.Live;

/// <summary>Who may run the guest.</summary>
internal enum BatonOwner
{
    Source = 0,

    /// <summary>Nobody runs it; whoever is first may.</summary>
    Offered = 1,

    Destination = 2,
}
