-- What 008_agencies_by_part_of_name.sql made.
DROP INDEX public.agencies_name_parts_idx;
DROP FUNCTION actors.name_parts(text);
