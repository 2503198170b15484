[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

// An L1 is of one CPU: two at a time.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.All, MaxThreads = 2)]
[assembly: AssemblyFixture(typeof(L1Fixture))]
