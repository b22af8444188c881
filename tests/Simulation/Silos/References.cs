using Actors.Grains.Interfaces;
using NodaTime;

namespace Actors.Tests.Simulation.Silos;

/// <summary>Grain references of a simulated cluster: a call goes to whichever silo the grain lives on.</summary>
internal sealed class References(Cluster cluster) : IGrainFactory
{
    public TGrainInterface GetGrain<TGrainInterface>(Guid primaryKey, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithGuidKey =>
        (TGrainInterface)(IGrainWithGuidKey)new Agency(cluster, new AgencyId(primaryKey));

    public TGrainInterface GetGrain<TGrainInterface>(string primaryKey, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithStringKey =>
        (TGrainInterface)(IGrainWithStringKey)new Coordinator(cluster);

    public TGrainInterface GetGrain<TGrainInterface>(long primaryKey, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithIntegerKey => throw Unasked();

    public TGrainInterface GetGrain<TGrainInterface>(
        Guid primaryKey, string keyExtension, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithGuidCompoundKey => throw Unasked();

    public TGrainInterface GetGrain<TGrainInterface>(
        long primaryKey, string keyExtension, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithIntegerCompoundKey => throw Unasked();

    public TGrainObserverInterface CreateObjectReference<TGrainObserverInterface>(IGrainObserver obj)
        where TGrainObserverInterface : IGrainObserver => throw Unasked();

    public void DeleteObjectReference<TGrainObserverInterface>(IGrainObserver obj)
        where TGrainObserverInterface : IGrainObserver => throw Unasked();

    public IGrain GetGrain(Type grainInterfaceType, Guid grainPrimaryKey) => throw Unasked();

    public IGrain GetGrain(Type grainInterfaceType, long grainPrimaryKey) => throw Unasked();

    public IGrain GetGrain(Type grainInterfaceType, string grainPrimaryKey) => throw Unasked();

    public IGrain GetGrain(Type grainInterfaceType, Guid grainPrimaryKey, string keyExtension) => throw Unasked();

    public IGrain GetGrain(Type grainInterfaceType, long grainPrimaryKey, string keyExtension) => throw Unasked();

    public TGrainInterface GetGrain<TGrainInterface>(GrainId grainId) where TGrainInterface : IAddressable =>
        throw Unasked();

    public IAddressable GetGrain(GrainId grainId) => throw Unasked();

    public IAddressable GetGrain(GrainId grainId, GrainInterfaceType interfaceType) => throw Unasked();

    public IAddressable GetGrain(Type interfaceType, IdSpan grainKey, string grainClassNamePrefix) => throw Unasked();

    public IAddressable GetGrain(Type interfaceType, IdSpan grainKey) => throw Unasked();

    private static NotSupportedException Unasked() => new("No grain has asked for this before: simulate it.");

    private sealed class Agency(Cluster cluster, AgencyId id) : IAgencyGrain
    {
        public Task<AgencyRunResult> BringUpToDateAsync(RunRequest request) =>
            cluster.CallAsync(id, agency => agency.BringUpToDateAsync(request));

        public Task ServeLostTickAsync() => throw Unasked();

        public Task<CutoffOutlook?> LookAheadAsync(Instant? at, int cutoffs) =>
            cluster.CallAsync(id, agency => agency.LookAheadAsync(at, cutoffs));

        public Task<PauseOutcome> PauseAsync(string by, string reason) =>
            cluster.CallAsync(id, agency => agency.PauseAsync(by, reason));

        public Task<ResumeResult> ResumeAsync(string by, string reason, ResumeMode mode) =>
            cluster.CallAsync(id, agency => agency.ResumeAsync(by, reason, mode));

        public Task<UndoResult> UndoRunAsync(Guid agencyRun, string by, string reason) =>
            cluster.CallAsync(id, agency => agency.UndoRunAsync(agencyRun, by, reason));
    }

    private sealed class Coordinator(Cluster cluster) : ICoordinatorGrain
    {
        public Task StartAsync() => cluster.CallCoordinatorAsync(async coordinator =>
        {
            await coordinator.StartAsync();
            return true;
        });

        public Task<SweepResult> SweepAsync() =>
            cluster.CallCoordinatorAsync(coordinator => coordinator.SweepAsync());

        public Task<RunAllResult> RunAllAsync(RunAllRequest request) =>
            cluster.CallCoordinatorAsync(coordinator => coordinator.RunAllAsync(request));

        public Task JobMayBeDoneAsync(JobId job)
        {
            cluster.TellCoordinator(coordinator => coordinator.JobMayBeDoneAsync(job));
            return Task.CompletedTask;
        }

        public Task LeftUnservedAsync(string error)
        {
            cluster.TellCoordinator(coordinator => coordinator.LeftUnservedAsync(error));
            return Task.CompletedTask;
        }
    }
}
