-- What 007_agencies_by_zone.sql made.
DROP INDEX public.agencies_timezone_order_idx;
