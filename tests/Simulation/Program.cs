using Actors.Tests.Simulation;
using Xunit.MicrosoftTestingPlatform;

// What a socket has received is taken in where it is noticed, not one thread further: all that is done there is to
// post a turn. Read when the first socket is opened.
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");

// `./actors simulate …` comes here with its own words; everything else is for the test runner.
if (args is ["simulate", .. var words]) return await SimulateCommand.RunAsync(words);
return args.Any(word => word is "--server" or "--internal-msbuild-node")
    ? await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions)
    : await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
