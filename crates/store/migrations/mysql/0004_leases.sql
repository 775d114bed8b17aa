-- A lease given back keeps its row, so that epochs never start over.
CREATE TABLE IF NOT EXISTS leases (
    resource VARCHAR(255) NOT NULL PRIMARY KEY,
    owner VARCHAR(255) NOT NULL,
    epoch BIGINT NOT NULL,
    until_us BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
