-- Each object by name and none by CASCADE: what somebody else put into the schema stops this file rather than going
-- with it. The rights of actors_silo go with the objects; the role stays, it is another domain's.
DROP TABLE orleans.orleansquery;
DROP TABLE orleans.reminders;
DROP FUNCTION orleans.update_silo(text, text, integer, integer, integer, text, timestamptz, integer);
DROP FUNCTION orleans.insert_silo(
  text, text, integer, integer, text, text, integer, integer, timestamptz, timestamptz, integer);
DROP TABLE orleans.silos;
DROP TABLE orleans.clusters;
DROP SCHEMA orleans;
