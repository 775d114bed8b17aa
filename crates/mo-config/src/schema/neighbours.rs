//! The keys of `[tn]` and `[cn]`, and what is known of the original without being looked at.

use super::{Idle, Key, ignored, used};
use crate::value::Kind;

const ENGINE: &str = "the engine is MySQL or MariaDB, which has settings of its own";
const FRONT: &str = "a setting of the original's own SQL engine";
const METRICS: &str = "Drydock's metrics and logs are shaped by itself";

pub(super) const KEYS: &[Key] = &[
    used("tn.uuid", Kind::Text, "", "the service's identity; `[dn]` is the older name of `[tn]`"),
    used("tn.port-base", Kind::Port, "0", "first of 20 ports of this service; 0 uses the addresses below"),
    used("tn.service-host", Kind::Text, "127.0.0.1", "the host others are told"),
    used("tn.listen-address", Kind::Address, "0.0.0.0:22000", "what is bound where `port-base` is 0"),
    used("tn.service-address", Kind::Address, "127.0.0.1:22000", "what others are told where `port-base` is 0"),
    used("tn.HAKeeper.hakeeper-heartbeat-interval", Kind::Span, "1s", "how often it reports to the keeper"),
    used("tn.HAKeeper.hakeeper-heartbeat-timeout", Kind::Span, "3s", "limit of one report"),
    used("tn.HAKeeper.hakeeper-discovery-timeout", Kind::Span, "30s", "limit for finding the keeper"),
    used("tn.LogService.connect-timeout", Kind::Span, "30s", "limit for reaching the log"),
    used("cn.uuid", Kind::Text, "", "the service's identity"),
    ignored("cn.role", Kind::Text, "TP", "the kind of work it does", FRONT),
    used("cn.port-base", Kind::Port, "0", "first of 20 ports of this service; 0 uses the addresses below"),
    used("cn.service-host", Kind::Text, "127.0.0.1", "the host others are told"),
    used("cn.listen-address", Kind::Address, "127.0.0.1:6002", "what is bound where `port-base` is 0"),
    used("cn.service-address", Kind::Address, "127.0.0.1:6002", "what others are told where `port-base` is 0"),
    used("cn.frontend.port", Kind::Port, "6001", "where SQL is served"),
    used("cn.frontend.host", Kind::Text, "0.0.0.0", "on which address; loopback where the file says nothing"),
    used("cn.frontend.unix-socket", Kind::Text, "", "a socket file to serve SQL on as well"),
    used("cn.frontend.enableTls", Kind::Flag, "false", "offer TLS to SQL clients"),
    used("cn.frontend.tlsCertFile", Kind::Text, "", "with which certificate; `drydock.sql-tls-cert` goes before"),
    used("cn.frontend.tlsKeyFile", Kind::Text, "", "and key"),
    ignored(
        "cn.frontend.tlsCaFile",
        Kind::Text,
        "",
        "who signs the clients' certificates",
        "clients log in by password",
    ),
    used("cn.HAKeeper.hakeeper-heartbeat-interval", Kind::Span, "1s", "how often it reports to the keeper"),
    used("cn.HAKeeper.hakeeper-heartbeat-timeout", Kind::Span, "3s", "limit of one report"),
    used("cn.HAKeeper.hakeeper-discovery-timeout", Kind::Span, "30s", "limit for finding the keeper"),
];

#[rustfmt::skip]
pub(super) const IDLE: &[Idle] = &[
    Idle { table: "", names: &["isstandalone"], why: "a launch knows what it starts" },
    Idle { table: "log", names: &["disable-store", "disable-log", "stacktrace-level"], why: METRICS },
    Idle { table: "malloc", names: &[
        "allocator", "full-stack-fraction", "hashmap-soft-limit", "hashmap-hard-limit", "mpool-profiling",
    ], why: "memory is Rust's own" },
    Idle { table: "observability", names: &[
        "disable-trace", "enable-trace-debug", "trace-export-interval", "long-query-time", "metric-export-interval",
        "metric-gather-interval", "metric-internal-gather-interval", "metric-storage-usage-update-interval",
        "metric-storage-usage-check-new-interval", "merge-cycle", "disable-span", "enable-span-profile", "disable-error",
        "long-span-time", "skip-running-stmt", "disable-sql-writer", "disable-stmt-aggregation", "aggregation-window",
        "select-agg-threshold", "enable-stmt-merge", "reset-task-label", "tcp-packet", "max-log-message-size", "statusPort",
        "enableMetricToProm", "metricUpdateStorageUsageInterval", "disableTrace", "disableError", "disableSpan",
        "enableStmtMerge", "disableStmtAggregation", "aggregationWindow", "selectAggrThreshold", "longQueryTime",
        "skipRunningStmt",
    ], why: METRICS },
    Idle { table: "fileservice[].cache", names: &[
        "disk-min-evict-interval", "disk-evict-target", "remote-cache-enabled", "check-overlaps",
    ], why: "the object store keeps its own cache" },
    Idle { table: "fileservice[].s3", names: &[
        "name", "shared-config-profile", "no-default-credentials", "no-bucket-validation", "concurrency",
        "max-conns-per-host", "parallel-mode", "is-minio", "cert-files", "role-arn", "bearer-token", "external-id", "key-id",
        "key-secret", "ram-role", "role-session-name", "security-token", "session-token", "is-hdfs", "user",
        "kerberos-service-principle-name", "kerberos-username", "kerberos-realm", "kerberos-password", "kerberos-keytab-path",
    ], why: "credentials come from the environment, so that no file holds them" },
    Idle { table: "cn", names: &[
        "sql-address", "primary-key-check", "largest-entry-limit", "max_prepared_stmt_count", "init-work-state",
        "logtail-update-worker-factor", "auto-upgrade", "upgrade-tenant-batch",
    ], why: FRONT },
    Idle { table: "cn.frontend", names: &[
        "guestMmuLimitation", "mempoolMaxSize", "mempoolFactor", "processLimitationSize", "processLimitationSpillSize",
        "processLimitationBatchRows", "processLimitationBatchSize", "processLimitationPartitionRows", "serverVersionPrefix",
        "versionComment", "lengthOfQueryPrinted", "batchSizeInLoadData", "loadDataConcurrencyCount",
        "loadDataSkipWritingBatch", "maxBytesInOutbufToFlush", "printLogInterVal", "exportDataDefaultFlushSize",
        "portOfRpcServerInComputationEngine", "logshardid", "tnreplicalid", "comQueryInProgress", "sessionTimeout",
        "netReadTimeout", "netWriteTimeout", "waitTimeoutMin", "waitTimeoutMax", "interactiveTimeoutMin",
        "interactiveTimeoutMax", "loadLocalReadTimeout", "loadLocalWriteTimeout", "max-message-size", "saveQueryResult",
        "queryResultTimeout", "queryResultMaxsize", "autoIncrCacheSize", "printDebug", "printDebugInterval",
        "killRountinesInterval", "cleanKillQueueInterval", "proxy-enabled", "skipCheckPrivilege", "skipCheckUser",
        "disable-select-into", "pub-all-accounts", "key-encryption-key", "createTxnOpTimeout", "connectTimeout", "sidecarUrl",
    ], why: FRONT },
];

pub(super) const OPEN: &[(&str, &str)] = &[
    ("clock", "time comes from the host"),
    ("limit", "memory is Rust's own"),
    ("metacache", ENGINE),
    ("goroutine", "there are none"),
    ("proxy", "Drydock's front serves SQL itself"),
    ("python-udf-server", "Drydock runs no functions of users"),
    ("observability.label-selector", METRICS),
    ("observability.labelselector", METRICS),
    ("observability.task-label", METRICS),
    ("observability.cu", METRICS),
    ("observability.cu_v1", METRICS),
    ("fileservice[].cache.rpc", "the object store keeps its own cache"),
    ("tn.rpc", "messages go as they are"),
    ("tn.ckp", ENGINE),
    ("tn.gccfg", ENGINE),
    ("tn.merge", ENGINE),
    ("tn.logtailserver", ENGINE),
    ("tn.txn", ENGINE),
    ("tn.cluster", ENGINE),
    ("tn.lockservice", ENGINE),
    ("tn.shardservice", ENGINE),
    ("cn.engine", ENGINE),
    ("cn.pipeline", FRONT),
    ("cn.sirius", FRONT),
    ("cn.taskrunner", FRONT),
    ("cn.rpc", "messages go as they are"),
    ("cn.cluster", FRONT),
    ("cn.lockservice", ENGINE),
    ("cn.shardservice", ENGINE),
    ("cn.partitionservice", ENGINE),
    ("cn.txn", ENGINE),
    ("cn.auto-increment", ENGINE),
    ("cn.query-service", FRONT),
    ("cn.queryserviceconfig", FRONT),
    ("cn.python-udf-client", FRONT),
    ("cn.frontend.iceberg", FRONT),
    ("cn.frontend.mongodb", FRONT),
];
