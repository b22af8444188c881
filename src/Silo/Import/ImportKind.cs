namespace Actors.Silo.Import;

/// <summary>What a CSV file holds.</summary>
public enum ImportKind
{
    /// <summary>`id,name` and optionally `timezone,overdue_cutoff_time,due_soon_threshold_days`.</summary>
    Agencies,

    /// <summary>`id,agency_id,status`.</summary>
    Plans,

    /// <summary>`id,payment_plan_id,amount,student_due_date,status`; an empty date is never due.</summary>
    Installments,
}
