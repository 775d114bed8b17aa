//! The keys every service has, and those that are Drydock's own.

use super::{Key, ignored, used};
use crate::value::Kind;

const MEMORY: &str = "memory is Rust's own";
const STORES: &str = "the object store keeps its own cache";

pub(super) const KEYS: &[Key] = &[
    used("service-type", Kind::Text, "", "`LOG`, `TN` (or `DN`), `CN`, `PROXY`"),
    used("data-dir", Kind::Text, "./mo-data", "where everything lies, relative to where the program is run"),
    used("log.level", Kind::Text, "info", "`debug`, `info`, `warn`, `error`"),
    used("log.format", Kind::Text, "console", "`console` or `json`"),
    used("log.filename", Kind::Text, "", "a file instead of the standard output"),
    ignored("log.max-size", Kind::Whole, "512", "MiB of a log file", "log files are kept by day"),
    used("log.max-days", Kind::Whole, "0", "days a log file is kept; 0 keeps it"),
    used("log.max-backups", Kind::Whole, "0", "log files kept; 0 keeps all"),
    ignored("malloc.check-fraction", Kind::Whole, "65536", "how often memory is checked", MEMORY),
    ignored("malloc.enable-metrics", Kind::Flag, "true", "count memory", MEMORY),
    used("observability.host", Kind::Text, "127.0.0.1", "where metrics are served"),
    used("observability.status-port", Kind::Port, "7001", "on which port"),
    used("observability.enable-metric-to-prom", Kind::Flag, "true", "serve metrics to Prometheus"),
    used("observability.disable-metric", Kind::Flag, "false", "count nothing"),
    used("observability.disableMetric", Kind::Flag, "false", "the older name of `disable-metric`"),
    used("hakeeper-client.discovery-address", Kind::Address, "", "a log service, or a load balancer before them"),
    used(
        "hakeeper-client.service-addresses",
        Kind::Addresses,
        "127.0.0.1:32001",
        "log services, where there is no discovery address",
    ),
    ignored(
        "hakeeper-client.allocate-id-batch",
        Kind::Whole,
        "100",
        "ids taken at once",
        "only the keeper gives out ids",
    ),
    ignored("hakeeper-client.enable-compress", Kind::Flag, "false", "compress messages", "messages go as they are"),
    used("fileservice[].name", Kind::Text, "", "`LOCAL`, `SHARED` (or `S3`), `ETL`, `STANDBY`, `TMP`"),
    used(
        "fileservice[].backend",
        Kind::Text,
        "DISK",
        "`DISK`, `DISK-V2`, `DISK-ETL`, `DISK-TMP`, `MEM`, `S3`, `MINIO`",
    ),
    used("fileservice[].data-dir", Kind::Text, "", "by default `<data-dir>/<name in lower case>`"),
    ignored("fileservice[].fix-missing", Kind::Flag, "false", "mend missing files", "nothing is mended in silence"),
    ignored("fileservice[].cache.memory-capacity", Kind::Bytes, "0", "memory to keep", STORES),
    ignored("fileservice[].cache.disk-path", Kind::Text, "", "where to keep copies", STORES),
    ignored("fileservice[].cache.disk-capacity", Kind::Bytes, "0", "disk to keep", STORES),
    used("fileservice[].s3.endpoint", Kind::Text, "", "where the object store is"),
    used("fileservice[].s3.bucket", Kind::Text, "", "the bucket"),
    used("fileservice[].s3.key-prefix", Kind::Text, "", "what all names begin with"),
    used("fileservice[].s3.region", Kind::Text, "", "the region"),
    used(
        "drydock.cluster-id",
        Kind::Text,
        "",
        "**+** name of the cluster; members of another are refused. By default `deployment-<deployment-id>`",
    ),
    used("drydock.zone", Kind::Text, "", "**+** what fails together with this store: a rack, a hall, a data centre"),
    used(
        "drydock.zones-to-span",
        Kind::Whole,
        "0",
        "**+** a commit is acknowledged once replicas in that many zones have it; 0 asks for a majority only",
    ),
    used("drydock.tls.ca", Kind::Text, "", "**+** who signs the members' certificates (PEM file)"),
    used(
        "drydock.tls.cert",
        Kind::Text,
        "",
        "**+** this member's certificate, shown to the other members in both directions",
    ),
    used("drydock.tls.key", Kind::Text, "", "**+** its key"),
    used(
        "drydock.sql-tls-cert",
        Kind::Text,
        "",
        "**+** the certificate SQL clients see; by default `cn.frontend.tlsCertFile` where `enableTls` is set",
    ),
    used("drydock.sql-tls-key", Kind::Text, "", "**+** its key"),
];
