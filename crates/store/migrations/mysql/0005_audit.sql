-- No trigger guards it as in the other stores: creating one needs SUPER where the binlog is on.
CREATE TABLE IF NOT EXISTS audit (
    number BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    at_us BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    outcome TEXT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
