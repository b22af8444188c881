-- A database whose application keeps its status words as text.
CREATE TABLE agencies (id UUID PRIMARY KEY, name TEXT NOT NULL, created_at TIMESTAMPTZ DEFAULT now());
CREATE TABLE payment_plans (
  id UUID PRIMARY KEY, agency_id UUID NOT NULL REFERENCES agencies (id), status TEXT NOT NULL DEFAULT 'active');
CREATE TABLE installments (
  id UUID PRIMARY KEY, payment_plan_id UUID NOT NULL REFERENCES payment_plans (id), amount NUMERIC(12, 2) NOT NULL,
  student_due_date DATE, status TEXT NOT NULL DEFAULT 'pending');
CREATE INDEX plans_by_agency ON payment_plans (agency_id, status);
COMMENT ON TABLE agencies IS 'Ours, with a comment';
INSERT INTO agencies VALUES ('00000000-0000-0000-0000-000000000001', 'One', '2024-01-01Z');
INSERT INTO payment_plans VALUES ('00000000-0000-0000-0000-000000000011', '00000000-0000-0000-0000-000000000001');
INSERT INTO installments VALUES
  ('00000000-0000-0000-0000-000000000111', '00000000-0000-0000-0000-000000000011', 100, '2024-02-01'),
  ('00000000-0000-0000-0000-000000000112', '00000000-0000-0000-0000-000000000011', 100, NULL);
