-- The last migration is down: nothing of the runner stays. The schema goes too unless somebody else uses it.
DROP FUNCTION actors.has_index(TEXT, TEXT[], TEXT);
DROP FUNCTION actors.require_column(TEXT, TEXT, TEXT[], TEXT[]);
DROP FUNCTION actors.require_free(TEXT);
DROP FUNCTION actors.grant_membership(TEXT, TEXT);
DROP FUNCTION actors.create_role(TEXT, TEXT);
DROP FUNCTION actors.put_back(TEXT, TEXT);
DROP FUNCTION actors.take_away(TEXT, TEXT);
DROP FUNCTION actors.put_back_rights(TEXT, TEXT, TEXT);
DROP FUNCTION actors.is_used_elsewhere(TEXT);
DROP FUNCTION actors.remember(TEXT, TEXT);
DROP FUNCTION actors.definition_of(TEXT, TEXT);
DROP FUNCTION actors.rights_on(TEXT, TEXT);

DO $$
DECLARE
  schema_was_there BOOLEAN := EXISTS (
    SELECT FROM actors.found_before WHERE migration = 'bookkeeping' AND kind = 'schema' AND name = 'actors');
BEGIN
  DROP TABLE actors.found_before;
  DROP TABLE actors.schema_migrations;
  IF NOT schema_was_there THEN
    DROP SCHEMA actors;
  END IF;
END
$$;
