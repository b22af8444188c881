-- =====================================================
-- Migration: API keys
-- =====================================================

-- The original kept one key in the clear in a setting of the database, readable by every login. Here a key is shown
-- once, when it is made, and only its SHA-256 is stored: whoever reads the table or a dump of it cannot call the API.
-- A key is 256 random bits, so a plain hash is enough; a slow one would only slow each request.

SELECT actors.require_free('public.api_keys');

CREATE TABLE api_keys (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  name TEXT NOT NULL CONSTRAINT api_keys_name_check CHECK (name <> '' AND length(name) <= 100),
  key_hash BYTEA NOT NULL
    CONSTRAINT api_keys_key_hash_key UNIQUE
    CONSTRAINT api_keys_key_hash_check CHECK (octet_length(key_hash) = 32),
  scopes TEXT[] NOT NULL DEFAULT '{trigger}',
  created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  expires_at TIMESTAMPTZ,
  revoked_at TIMESTAMPTZ,
  last_used_at TIMESTAMPTZ
);

COMMENT ON TABLE api_keys IS 'Keys that other programs call the API with; only hashes are stored';
COMMENT ON COLUMN api_keys.name IS 'Who uses the key; unique among those that are not revoked';
COMMENT ON COLUMN api_keys.key_hash IS 'SHA-256 of the key, 32 bytes';
COMMENT ON COLUMN api_keys.scopes IS 'What the key may do, e.g. trigger: start runs';
COMMENT ON COLUMN api_keys.expires_at IS 'The key is refused from this instant on; NULL: it does not expire';
COMMENT ON COLUMN api_keys.revoked_at IS 'When the key was revoked; it is refused since';

-- A revoked key leaves its name to its successor.
CREATE UNIQUE INDEX idx_api_keys_active_name ON api_keys (name) WHERE revoked_at IS NULL;

ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;

CREATE POLICY "Service role can manage api keys"
  ON api_keys
  FOR ALL
  TO service_role
  USING (true)
  WITH CHECK (true);

-- Some platforms give every new table to anon and authenticated by default.
REVOKE ALL ON api_keys FROM PUBLIC, anon, authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON api_keys TO service_role;
