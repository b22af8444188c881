-- Everything here was made by 006_agency_lists.sql.
DROP INDEX public.agency_changes_history_idx;
DROP INDEX public.agency_cutoffs_last_order_idx;
DROP INDEX public.agency_cutoffs_next_order_idx;
DROP INDEX public.agencies_name_order_idx;
DROP INDEX public.agency_cutoffs_failed_idx;
DROP INDEX public.agency_cutoffs_paused_idx;
DROP FUNCTION actors.agency_state(timestamptz, integer, timestamptz, timestamptz, timestamptz);
