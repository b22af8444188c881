using Actors.Silo.CommandLine;

return await CommandLineApplication.RunAsync(
    CommandLineApplication.CreateRoot(TimeProvider.System), args, Console.Out, Console.Error);
