[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

// Each test starts virtual machines and moves traffic; two at a time would only disturb each other.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
