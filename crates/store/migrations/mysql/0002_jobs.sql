-- Moments are Unix microseconds, documents are JSON text.
CREATE TABLE IF NOT EXISTS jobs (
    id VARCHAR(64) NOT NULL PRIMARY KEY,
    kind VARCHAR(64) NOT NULL,
    status VARCHAR(16) NOT NULL,
    progress DOUBLE NOT NULL,
    created_us BIGINT NOT NULL,
    number BIGINT NOT NULL,
    updated_us BIGINT NOT NULL,
    cancel_requested BIGINT NOT NULL,
    version BIGINT NOT NULL,
    body LONGTEXT NOT NULL,
    INDEX jobs_by_age (created_us, number),
    INDEX jobs_by_status (status, created_us, number)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
