namespace Vmm.Kvm.Tests;

/// <summary>Tests that look at the whole process and therefore run while no other does.</summary>
[CollectionDefinition(nameof(AloneCollection), DisableParallelization = true)]
public sealed class AloneCollection;
