using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

/// <summary>
/// Runs in a silo's process before its own code, where DOTNET_STARTUP_HOOKS names this assembly, and puts a clock that
/// is wrong in the place of the machine's: under reminders, membership and timers alike. The program itself has no
/// switch for that. .NET asks for a class of just this name, in no namespace; Orleans looks into every assembly of the
/// process, so that it stands in one of its own, without the test framework.
/// </summary>
[SuppressMessage("Design", "CA1050", Justification = ".NET looks for it outside all namespaces.")]
public static class StartupHook
{
    /// <summary>The variable that says by how much the clock is wrong.</summary>
    public const string SecondsAhead = "ACTORS_TEST_CLOCK_SECONDS_AHEAD";

    /// <summary>Called by .NET.</summary>
    public static void Initialize()
    {
        var seconds = Environment.GetEnvironmentVariable(SecondsAhead);
        if (seconds is null) return;
        var clock = new WrongClock(TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture)));
        DiagnosticListener.AllListeners.Subscribe(new Listener(clock));
    }

    private sealed class WrongClock(TimeSpan ahead) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + ahead;
    }

    /// <summary>A host says that it is being built, to whoever listens, and takes more services.</summary>
    private sealed class Listener(TimeProvider clock)
        : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>
    {
        public void OnNext(DiagnosticListener value)
        {
            if (value.Name == "Microsoft.Extensions.Hosting") value.Subscribe(this);
        }

        public void OnNext(KeyValuePair<string, object?> value)
        {
            if (value is ("HostBuilding", IHostBuilder host))
                host.ConfigureServices((_, services) => Replace(services));
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }

        private void Replace(IServiceCollection services)
        {
            var clocks = services.Where(service => service.ServiceType == typeof(TimeProvider)).ToArray();
            foreach (var key in clocks.Where(service => service.IsKeyedService).Select(service => service.ServiceKey))
                services.AddKeyedSingleton(key, clock);
            services.AddSingleton(clock);
        }
    }
}
