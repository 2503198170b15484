namespace Vmm.Cli.Bench;

/// <summary>What <c>vmm bench live-update</c> is asked for.</summary>
internal sealed record BenchOptions
{
    public int Updates { get; init; } = 100;

    /// <summary>As <c>vmm run --memory</c> takes it, and checks it.</summary>
    public string Memory { get; init; } = "128M";

    public int Cpus { get; init; } = 1;

    public int Queues { get; init; } = 1;

    /// <summary>The kernel moves the guest's frames.</summary>
    public bool Vhost { get; init; }

    /// <summary>What each update goes to. The guest begins in this program.</summary>
    public required string Binary { get; init; }

    /// <summary>Echo requests a second; 0 for none.</summary>
    public int Rate { get; init; } = 1000;

    /// <summary>Of the bulk traffic, all flows together; 0 for none.</summary>
    public int InFlight { get; init; } = 32;

    /// <summary>Between two updates.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>The guest sleeps until it is interrupted, instead of polling.</summary>
    public bool Halt { get; init; }

    public string KernelCommandLine => $"ip={Demo.DemoNetwork.GuestAddress} queues={Queues}{(Halt ? "" : " poll")}";
}
