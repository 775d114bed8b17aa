CREATE TABLE IF NOT EXISTS metrics (
    number BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    series VARCHAR(255) NOT NULL,
    subject VARCHAR(255) NOT NULL,
    at_us BIGINT NOT NULL,
    sample DOUBLE NOT NULL,
    INDEX metrics_by_series (series, subject, at_us),
    INDEX metrics_by_age (at_us)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
