-- A real predecessor: enum status columns, row-level security, more columns than the job asks for.
CREATE TYPE payment_plan_status AS ENUM ('active', 'completed', 'cancelled');
CREATE TYPE installment_status AS ENUM ('draft', 'pending', 'paid', 'partial', 'overdue', 'cancelled');
CREATE TABLE agencies (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(), name VARCHAR(255) NOT NULL, domain TEXT UNIQUE,
  created_at TIMESTAMPTZ NOT NULL DEFAULT now());
CREATE TABLE payment_plans (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(), agency_id UUID NOT NULL REFERENCES agencies (id) ON DELETE RESTRICT,
  total_amount NUMERIC(10, 2), status payment_plan_status NOT NULL DEFAULT 'active',
  created_at TIMESTAMPTZ NOT NULL DEFAULT now());
CREATE TABLE installments (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(), payment_plan_id UUID NOT NULL REFERENCES payment_plans (id),
  agency_id UUID NOT NULL REFERENCES agencies (id), installment_number INT NOT NULL,
  amount NUMERIC(10, 2) NOT NULL, student_due_date DATE, paid_date DATE, paid_amount NUMERIC(10, 2),
  status installment_status NOT NULL DEFAULT 'draft', created_at TIMESTAMPTZ NOT NULL DEFAULT now());
CREATE INDEX installments_pending ON installments (payment_plan_id, student_due_date) WHERE status = 'pending';
ALTER TABLE installments ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Own agency" ON installments FOR SELECT TO PUBLIC USING (agency_id IS NOT NULL);
INSERT INTO agencies (id, name) VALUES ('00000000-0000-0000-0000-000000000001', 'One');
INSERT INTO payment_plans (id, agency_id) VALUES
  ('00000000-0000-0000-0000-000000000011', '00000000-0000-0000-0000-000000000001');
INSERT INTO installments (id, payment_plan_id, agency_id, installment_number, amount, student_due_date, status) VALUES
  ('00000000-0000-0000-0000-000000000111', '00000000-0000-0000-0000-000000000011',
   '00000000-0000-0000-0000-000000000001', 1, 100, '2024-02-01', 'pending'),
  ('00000000-0000-0000-0000-000000000112', '00000000-0000-0000-0000-000000000011',
   '00000000-0000-0000-0000-000000000001', 2, 100, '2024-03-01', 'draft');
