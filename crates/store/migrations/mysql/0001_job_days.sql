-- MySQL commits each DDL statement by itself: one per file, each safe to run again after a crash.
CREATE TABLE IF NOT EXISTS job_days (
    day VARCHAR(8) NOT NULL PRIMARY KEY,
    made BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
