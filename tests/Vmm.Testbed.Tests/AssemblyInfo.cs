[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

// One L1 for all; its guests need all of the machine, one at a time.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
[assembly: AssemblyFixture(typeof(L1Fixture))]
