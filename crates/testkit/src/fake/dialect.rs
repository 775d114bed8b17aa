//! How each version words it: statements it knows, columns it answers with. Recorded from the reference manuals.

/// A server version whose words differ from its neighbours'.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// 5.7: only the old words; no roles in the group member list.
    MySql57,
    /// 8.0 from 8.0.22: both.
    MySql80,
    /// 8.4: only the new words.
    MySql84,
    /// MariaDB 10.11: old columns under both statements, no uuid.
    MariaDb1011,
}

const COLUMNS: &str = "Slave_IO_State Master_Host Master_User Master_Port Connect_Retry Master_Log_File \
     Read_Master_Log_Pos Relay_Log_File Relay_Log_Pos Relay_Master_Log_File Slave_IO_Running Slave_SQL_Running \
     Replicate_Do_DB Replicate_Ignore_DB Replicate_Do_Table Replicate_Ignore_Table Replicate_Wild_Do_Table \
     Replicate_Wild_Ignore_Table Last_Errno Last_Error Skip_Counter Exec_Master_Log_Pos Relay_Log_Space \
     Until_Condition Until_Log_File Until_Log_Pos Master_SSL_Allowed Master_SSL_CA_File Master_SSL_CA_Path \
     Master_SSL_Cert Master_SSL_Cipher Master_SSL_Key Seconds_Behind_Master Master_SSL_Verify_Server_Cert \
     Last_IO_Errno Last_IO_Error Last_SQL_Errno Last_SQL_Error Replicate_Ignore_Server_Ids Master_Server_Id";
const MYSQL: &str = "Master_UUID Master_Info_File SQL_Delay SQL_Remaining_Delay Slave_SQL_Running_State \
     Master_Retry_Count Master_Bind Last_IO_Error_Timestamp Last_SQL_Error_Timestamp Master_SSL_Crl \
     Master_SSL_Crlpath Retrieved_Gtid_Set Executed_Gtid_Set Auto_Position Replicate_Rewrite_DB Channel_Name \
     Master_TLS_Version";
const MYSQL_80: &str = "Master_public_key_path Get_master_public_key Network_Namespace";
const MARIADB: &str = "Master_SSL_Crl Master_SSL_Crlpath Using_Gtid Gtid_IO_Pos Replicate_Do_Domain_Ids \
     Replicate_Ignore_Domain_Ids Parallel_Mode SQL_Delay SQL_Remaining_Delay Slave_SQL_Running_State Slave_DDL_Groups \
     Slave_Non_Transactional_Groups Slave_Transactional_Groups Replicate_Rewrite_DB Retried_transactions \
     Max_relay_log_size Executed_log_entries Slave_received_heartbeats Slave_heartbeat_period Gtid_Slave_Pos";

impl Dialect {
    /// `@@version` and `@@version_comment`.
    pub fn version(self) -> (&'static str, &'static str) {
        match self {
            Self::MySql57 => ("5.7.44-log", "MySQL Community Server (GPL)"),
            Self::MySql80 => ("8.0.39", "MySQL Community Server - GPL"),
            Self::MySql84 => ("8.4.2", "MySQL Community Server - GPL"),
            Self::MariaDb1011 => ("10.11.19-MariaDB-log", "mariadb.org binary distribution"),
        }
    }

    /// Every spelling of the status statement it knows, each with its columns.
    pub fn status(self) -> Vec<(&'static str, Vec<String>)> {
        match self {
            Self::MySql57 => vec![("SHOW SLAVE STATUS", words(&[COLUMNS, MYSQL]))],
            Self::MySql80 => vec![
                ("SHOW SLAVE STATUS", words(&[COLUMNS, MYSQL, MYSQL_80])),
                ("SHOW REPLICA STATUS", renamed(&words(&[COLUMNS, MYSQL, MYSQL_80]))),
            ],
            Self::MySql84 => vec![("SHOW REPLICA STATUS", renamed(&words(&[COLUMNS, MYSQL, MYSQL_80])))],
            Self::MariaDb1011 => vec![
                ("SHOW ALL SLAVES STATUS", words(&["Connection_name Slave_SQL_State", COLUMNS, MARIADB])),
                ("SHOW SLAVE STATUS", words(&[COLUMNS, MARIADB])),
                ("SHOW REPLICA STATUS", words(&[COLUMNS, MARIADB])),
            ],
        }
    }

    /// Every spelling of the list of registered replicas it knows, each with its columns.
    pub fn hosts(self) -> Vec<(&'static str, Vec<String>)> {
        let old = ("SHOW SLAVE HOSTS", words(&["Server_id Host Port Master_id Slave_UUID"]));
        let new = ("SHOW REPLICAS", words(&["Server_Id Host Port Source_Id Replica_UUID"]));
        let short = words(&["Server_id Host Port Master_id"]);
        match self {
            Self::MySql57 => vec![old],
            Self::MySql80 => vec![old, new],
            Self::MySql84 => vec![new],
            Self::MariaDb1011 => vec![("SHOW SLAVE HOSTS", short.clone()), ("SHOW REPLICA HOSTS", short)],
        }
    }

    /// Whether it has a `server_uuid`.
    pub fn has_uuid(self) -> bool {
        self != Self::MariaDb1011
    }

    /// Whether it has `performance_schema.processlist`.
    pub fn has_schema_processlist(self) -> bool {
        matches!(self, Self::MySql80 | Self::MySql84)
    }
}

fn words(lists: &[&str]) -> Vec<String> {
    lists.iter().flat_map(|list| list.split_whitespace()).map(str::to_owned).collect()
}

/// 8.0.22 renamed the columns with the statement.
fn renamed(columns: &[String]) -> Vec<String> {
    let new = |name: &String| {
        name.replace("Master", "Source").replace("Slave", "Replica").replace("Get_master", "Get_Source")
    };
    columns.iter().map(new).collect()
}
