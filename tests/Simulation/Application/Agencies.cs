using Actors.Tests.Simulation.Oracle;
using NodaTime;

namespace Actors.Tests.Simulation.Application;

/// <summary>
/// What administrators do, all of it straight in SQL: agencies, their zones and cutoffs, pauses, mistakes.
/// </summary>
internal sealed class Agencies(Desk desk, Installments installments, Action changed)
{
    /// <summary>PostgreSQL takes any name that stands in supported_timezones; NodaTime knows no such zone.</summary>
    public const string UnknownZone = "Mars/Olympus_Mons";

    private static readonly LocalTime[] Times =
    [
        LocalTime.Midnight, new(0, 30), new(1, 30), new(2, 0), new(2, 30), new(3, 0), new(17, 0), new(17, 0),
        new(17, 0), new(23, 59, 59),
    ];

    /// <summary>
    /// What a trigger of the application raises may say anything of itself: that it is final, that another try may
    /// help, or that the database is out of service, which it is not.
    /// </summary>
    private static readonly string[] Refusals =
    [
        "P0001", "55000", "23514", "40001", "40P01", "55P03", "57014", "08001", "53300", "57P01", "25006",
    ];

    /// <summary>
    /// Zones on whose clock changes NodaTime and any recent PostgreSQL agree; among them changes at midnight, of
    /// half an hour, in winter, and a date that does not exist.
    /// </summary>
    public static readonly string[] Zones =
    [
        "UTC", "Australia/Brisbane", "Australia/Sydney", "Australia/Adelaide", "Australia/Lord_Howe", "Asia/Tokyo",
        "Asia/Kolkata", "Asia/Beirut", "Europe/London", "Europe/Dublin", "Europe/Berlin", "America/New_York",
        "America/Chicago", "America/Los_Angeles", "America/Santiago", "America/St_Johns", "Atlantic/Azores",
        "Pacific/Auckland", "Pacific/Chatham", "Pacific/Apia", "Pacific/Kiritimati", "Antarctica/Troll",
    ];

    /// <summary>Does one thing to one agency, or to their number, which stays about what it was.</summary>
    public void Act(AgencyFacts agency, int usualNumber)
    {
        switch (desk.Chance.Below(100))
        {
            case < 40:
                ChangeSettings(agency, SomeSettings(agency));
                break;
            case < 60:
                Pause(agency);
                break;
            case < 65:
                Resume(agency);
                break;
            case < 70:
                ChangeSettings(agency, new Settings(UnknownZone, agency.Settings.Now.Time));
                desk.Agenda.After(SomeTime(), () => Heal(agency));
                break;
            case < 80:
                Poison(agency);
                break;
            case < 90:
                if (desk.Facts.Agencies.Count <= usualNumber) Add(null);
                break;
            default:
                if (desk.Facts.Agencies.Count >= usualNumber) Delete(agency);
                break;
        }
    }

    /// <summary>A new agency, with plans.</summary>
    /// <param name="like">Has the same settings as this one; null for settings of its own.</param>
    public void Add(AgencyFacts? like)
    {
        var (id, settings) = (desk.Chance.Id(), like?.Settings.Now ?? SomeSettings(null));
        if (!desk.Do($"agency {id} is new, {settings.Zone} {settings.Time}",
            [
                "INSERT INTO agencies (id, name, timezone, overdue_cutoff_time) VALUES (@id, 'any', @zone, @time)",
                "UPDATE agency_cutoffs SET settings_changed_at = @now WHERE agency_id = @id",
            ],
            ("id", id), ("zone", settings.Zone), ("time", settings.Time)))
            return;
        var agency = new AgencyFacts(desk.Diary.Step, id, settings, desk.Now);
        desk.Facts.Agencies.Add(id, agency);
        changed();
        for (var plan = desk.Chance.From(1, 4); plan > 0; plan--) installments.AddPlan(agency, desk.Chance.From(2, 10));
    }

    /// <summary>Ends what keeps an agency from being served.</summary>
    public void Heal(AgencyFacts agency)
    {
        if (!desk.Facts.Agencies.ContainsKey(agency.Id)) return;
        if (agency.Settings.Now.Rule is null) ChangeSettings(agency, SomeSettings(agency));
        if (agency.IsPoisoned && desk.Do($"agency {agency.Id} can be marked again",
            ["DELETE FROM simulation.poisoned WHERE agency_id = @id"], ("id", agency.Id)))
        {
            agency.IsPoisoned = false;
            agency.ExcusedUntil = Instant.Max(agency.ExcusedUntil, desk.Now);
        }
    }

    public void Resume(AgencyFacts agency)
    {
        if (!desk.Facts.Agencies.ContainsKey(agency.Id) || !agency.IsPaused.Now) return;
        if (!desk.Do($"agency {agency.Id} is resumed",
            ["UPDATE agency_cutoffs SET paused_at = NULL, paused_reason = NULL WHERE agency_id = @id"],
            ("id", agency.Id)))
            return;
        changed();
    }

    private void Pause(AgencyFacts agency)
    {
        if (agency.IsPaused.Now || !desk.Do($"agency {agency.Id} is paused",
            ["UPDATE agency_cutoffs SET paused_at = @now, paused_reason = 'any' WHERE agency_id = @id"],
            ("id", agency.Id)))
            return;
        desk.Agenda.After(desk.Chance.Between(Duration.FromMinutes(1), Duration.FromDays(4)), () => Resume(agency));
    }

    private void ChangeSettings(AgencyFacts agency, Settings settings)
    {
        if (settings == agency.Settings.Now) return;
        // The trigger writes down PostgreSQL's own time; here the simulated one takes its place.
        if (!desk.Do($"agency {agency.Id} moves to {settings.Zone} {settings.Time}",
            [
                "UPDATE agencies SET timezone = @zone, overdue_cutoff_time = @time WHERE id = @id",
                "UPDATE agency_cutoffs SET settings_changed_at = @now WHERE agency_id = @id",
            ],
            ("id", agency.Id), ("zone", settings.Zone), ("time", settings.Time)))
            return;
        agency.Settings.Set(desk.Diary.Step, settings);
        agency.SettingsChangedAt = desk.Now;
        changed();
    }

    private void Poison(AgencyFacts agency)
    {
        if (agency.IsPoisoned) return;
        var state = desk.Chance.Of(Refusals);
        if (!desk.Do($"agency {agency.Id} refuses to be marked, with {state}",
            ["INSERT INTO simulation.poisoned (agency_id, state) VALUES (@id, @state)"],
            ("id", agency.Id), ("state", state)))
            return;
        agency.IsPoisoned = true;
        desk.Storms.Note("an agency is poisoned");
        desk.Agenda.After(SomeTime(), () => Heal(agency));
    }

    private void Delete(AgencyFacts agency)
    {
        if (desk.Do($"agency {agency.Id} is deleted", ["DELETE FROM agencies WHERE id = @id"], ("id", agency.Id)))
            desk.Facts.Remove(agency);
    }

    /// <summary>
    /// Mostly minutes, now and then longer than a day; not often, since every quarter of an hour is like the last.
    /// </summary>
    private Duration SomeTime() => desk.Chance.Percent(97)
        ? desk.Chance.Between(Duration.FromMinutes(1), Duration.FromHours(2))
        : desk.Chance.Between(Duration.FromHours(2), Duration.FromHours(30));

    private Settings SomeSettings(AgencyFacts? agency)
    {
        var zone = desk.Chance.Of(Zones);
        var time = desk.Chance.Percent(70)
            ? desk.Chance.Of(Times)
            : LocalTime.FromSecondsSinceMidnight(desk.Chance.Below(86_400));
        return agency is null ? new Settings(zone, time) : desk.Chance.Below(3) switch
        {
            0 => new Settings(zone, agency.Settings.Now.Time),
            1 when agency.Settings.Now.Rule is not null => new Settings(agency.Settings.Now.Zone, time),
            _ => new Settings(zone, time),
        };
    }
}
