using System.CommandLine;
using Actors.Silo.CommandLine;
using Actors.Silo.CommandLine.Commands;

var options = new GlobalOptions();
var root = new RootCommand("Actors: every agency's installments become overdue at its own cutoff.")
{
    options.Database,
    options.Data,
    MigrateCommand.Create(options),
};
return await root.Parse(args).InvokeAsync();
