-- Moments are Unix microseconds, documents are JSON text. Bodies stand last, so that lists never read them.
CREATE TABLE job_days (
    day TEXT PRIMARY KEY,
    made INTEGER NOT NULL
) STRICT;

CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    progress REAL NOT NULL,
    created_us INTEGER NOT NULL,
    number INTEGER NOT NULL,
    updated_us INTEGER NOT NULL,
    cancel_requested INTEGER NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX jobs_by_age ON jobs (created_us, number);
CREATE INDEX jobs_by_status ON jobs (status, created_us, number);

CREATE TABLE journal (
    job_id TEXT NOT NULL REFERENCES jobs (id),
    sequence INTEGER NOT NULL,
    unit TEXT NOT NULL,
    step TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (job_id, sequence)
) STRICT, WITHOUT ROWID;

-- A lease given back keeps its row, so that epochs never start over.
CREATE TABLE leases (
    resource TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    until_us INTEGER NOT NULL
) STRICT;

CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at_us INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    outcome TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_keeps BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TABLE metrics (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    series TEXT NOT NULL,
    subject TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    sample REAL NOT NULL
) STRICT;
CREATE INDEX metrics_by_series ON metrics (series, subject, at_us);
CREATE INDEX metrics_by_age ON metrics (at_us);
