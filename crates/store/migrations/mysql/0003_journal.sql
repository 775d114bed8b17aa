CREATE TABLE IF NOT EXISTS journal (
    job_id VARCHAR(64) NOT NULL,
    sequence BIGINT NOT NULL,
    unit TEXT NOT NULL,
    step TEXT NOT NULL,
    at_us BIGINT NOT NULL,
    event LONGTEXT NOT NULL,
    PRIMARY KEY (job_id, sequence),
    CONSTRAINT journal_job FOREIGN KEY (job_id) REFERENCES jobs (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
