using Vmm.Cli.Commands;

return CommandLine.Run(args);
