-- Moments are Unix microseconds, documents are JSON text (`jsonb` would refuse U+0000 and reorder keys).
CREATE TABLE job_days (
    day TEXT PRIMARY KEY,
    made BIGINT NOT NULL
);

CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    progress DOUBLE PRECISION NOT NULL,
    created_us BIGINT NOT NULL,
    number BIGINT NOT NULL,
    updated_us BIGINT NOT NULL,
    cancel_requested BIGINT NOT NULL,
    version BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX jobs_by_age ON jobs (created_us, number);
CREATE INDEX jobs_by_status ON jobs (status, created_us, number);

CREATE TABLE journal (
    job_id TEXT NOT NULL REFERENCES jobs (id),
    sequence BIGINT NOT NULL,
    unit TEXT NOT NULL,
    step TEXT NOT NULL,
    at_us BIGINT NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (job_id, sequence)
);

-- A lease given back keeps its row, so that epochs never start over.
CREATE TABLE leases (
    resource TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    until_us BIGINT NOT NULL
);

CREATE TABLE audit (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at_us BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    outcome TEXT NOT NULL
);
CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only';
END
$$;
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_stays();

CREATE TABLE metrics (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    series TEXT NOT NULL,
    subject TEXT NOT NULL,
    at_us BIGINT NOT NULL,
    sample DOUBLE PRECISION NOT NULL
);
CREATE INDEX metrics_by_series ON metrics (series, subject, at_us);
CREATE INDEX metrics_by_age ON metrics (at_us);
