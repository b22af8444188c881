using System.CommandLine;
using Actors.Silo.CommandLine;

var options = new GlobalOptions();
var root = new RootCommand("Actors: every agency's installments become overdue at its own cutoff.")
{
    options.Database,
    options.Data,
};
return await root.Parse(args).InvokeAsync();
