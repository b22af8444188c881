-- Rollback: every key is lost, and with it the access of the programs that use one.
DROP TABLE api_keys;
