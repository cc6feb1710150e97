-- Set by the change itself, in its transaction: whoever dies between a change and its answer leaves no doubt about it.
ALTER TABLE idempotency_keys ADD COLUMN carried_out_at INTEGER;
