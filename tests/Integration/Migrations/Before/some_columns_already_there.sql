-- Somebody added two of the three columns by hand, with other defaults, and one constraint of the same name.
CREATE TABLE agencies (
  id UUID PRIMARY KEY, name TEXT NOT NULL, timezone VARCHAR(64) DEFAULT 'Europe/Kyiv', overdue_cutoff_time TIME,
  CONSTRAINT agencies_cutoff_time_check CHECK (overdue_cutoff_time >= '12:00:00'));
COMMENT ON COLUMN agencies.timezone IS 'Where they are';
CREATE TABLE user_roles (user_id UUID, role VARCHAR(20), note TEXT);
CREATE SCHEMA auth;
CREATE FUNCTION auth.uid() RETURNS UUID LANGUAGE sql STABLE AS 'SELECT NULL::uuid';
INSERT INTO agencies VALUES
  ('00000000-0000-0000-0000-000000000001', 'One', 'Europe/Kyiv', '18:00'),
  ('00000000-0000-0000-0000-000000000002', 'Two', 'Asia/Kathmandu', '12:30');
INSERT INTO user_roles VALUES ('00000000-0000-0000-0000-000000000009', 'admin', 'the boss');
