namespace Vmm.Migration.Live;

/// <summary>The destination took the guest over and did not keep it: nobody runs it any more, and it can't be run here again.</summary>
public sealed class MachineLostException(string reason, Exception? inner = null) : IOException(reason, inner);
