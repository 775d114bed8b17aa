//! The keys of `[logservice]`.

use super::{Key, ignored, used};
use crate::value::Kind;

const SEGMENTS: &str = "the log lies in segment files of its own kind";
const CHECKPOINT: &str = "shards keep checkpoints of their own; the log is cut at positions, not by exported snapshots";

pub(super) const KEYS: &[Key] = &[
    used("logservice.deployment-id", Kind::Whole, "1", "number of the cluster; part of the directory's name"),
    used("logservice.uuid", Kind::Text, "7c4dccb4-4d3c-41f8-b482-5251dc7a41bf", "the store's identity"),
    used("logservice.service-host", Kind::Text, "127.0.0.1", "the host others are told where a `…-port` key is set"),
    used(
        "logservice.raft-address",
        Kind::Address,
        "0.0.0.0:32000",
        "where other stores reach this one; where none of the three keys is said, bound on loopback",
    ),
    used("logservice.raft-listen-address", Kind::Address, "", "what is bound for that; by default the address"),
    used(
        "logservice.raft-port",
        Kind::Port,
        "0",
        "supersedes both: `service-host` and this port, bound on every interface unless that host is loopback",
    ),
    used("logservice.logservice-address", Kind::Address, "0.0.0.0:32001", "where clients reach this store"),
    used("logservice.logservice-listen-address", Kind::Address, "", "what is bound for that"),
    used("logservice.logservice-port", Kind::Port, "0", "supersedes both"),
    used("logservice.gossip-address", Kind::Address, "0.0.0.0:32002", "where stores ask each other who is there"),
    used("logservice.gossip-address-v2", Kind::Address, "", "supersedes `gossip-address`"),
    used("logservice.gossip-listen-address", Kind::Address, "", "what is bound for that"),
    used("logservice.gossip-port", Kind::Port, "0", "supersedes both"),
    used("logservice.gossip-seed-addresses", Kind::Addresses, "127.0.0.1:32002", "stores to ask first"),
    used("logservice.gossip-probe-interval", Kind::Span, "5s", "how often they ask each other"),
    used("logservice.gossip-allow-self-as-seed", Kind::Flag, "true", "whether a store may be its own seed"),
    used(
        "logservice.locality",
        Kind::Text,
        "",
        "`key:value;key2:value2`. A store that has one takes non-voting replicas only",
    ),
    used("logservice.logservice-heartbeat-interval", Kind::Span, "1s", "how often the store reports to the keeper"),
    used("logservice.hakeeper-tick-interval", Kind::Span, "100ms", "the keeper's tick"),
    used(
        "logservice.hakeeper-check-interval",
        Kind::Span,
        "3s",
        "how often the keeper compares what is with what should be",
    ),
    used("logservice.truncate-interval", Kind::Span, "10s", "how often room of the log is given back"),
    used("logservice.hakeeper-truncate-interval", Kind::Span, "2h", "the same for the keeper's own shard"),
    used("logservice.logdb-max-log-file-size", Kind::Bytes, "64MB", "size of a segment file"),
    used("logservice.logdb-disable-prealloc", Kind::Flag, "false", "do not reserve disk for a segment ahead"),
    used(
        "logservice.explicit-hostname",
        Kind::Text,
        "",
        "name of the directory between uuid and deployment id; by default the host's name",
    ),
    used("logservice.rpc.max-message-size", Kind::Bytes, "100MB", "the longest message, hence the longest record"),
    ignored("logservice.rpc.enable-compress", Kind::Flag, "false", "compress messages", "messages go as they are"),
    ignored(
        "logservice.is-non-voting",
        Kind::Flag,
        "false",
        "the node takes non-voting replicas only",
        "`locality` says so",
    ),
    ignored(
        "logservice.membership-immovable",
        Kind::Flag,
        "true",
        "non-voting members become voters at start",
        "a non-voting replica stays one until it is promoted",
    ),
    ignored("logservice.archive-log-enabled", Kind::Flag, "false", "keep cut logs", "the archive is an object store"),
    ignored("logservice.logdb-buffer-size", Kind::Bytes, "768KiB", "buffer of the log's files", SEGMENTS),
    ignored("logservice.use-tee-logdb", Kind::Flag, "false", "a test of the original's", SEGMENTS),
    ignored("logservice.data-dir", Kind::Text, "", "overwritten by the original too", "the top `data-dir` counts"),
    ignored("logservice.snapshot-export-dir", Kind::Text, "", "overwritten by the original too", CHECKPOINT),
    ignored("logservice.max-exported-snapshot", Kind::Whole, "20", "exported snapshots kept", CHECKPOINT),
    ignored(
        "logservice.rttmillisecond",
        Kind::Whole,
        "200",
        "Raft's unit of time",
        "elections count the keeper's ticks",
    ),
    ignored(
        "logservice.hakeeper-bootstrap-retry-interval",
        Kind::Span,
        "1s",
        "pause between tries to bootstrap",
        "a bootstrap is tried at each check",
    ),
    ignored(
        "logservice.ctl.listen-address",
        Kind::Text,
        "",
        "not used by the original either",
        "there is nothing to listen for",
    ),
    ignored(
        "logservice.ctl.service-address",
        Kind::Text,
        "",
        "not used by the original either",
        "there is nothing to listen for",
    ),
    used("logservice.HAKeeperConfig.tick-per-second", Kind::Whole, "10", "ticks the timeouts below are counted in"),
    used(
        "logservice.HAKeeperConfig.log-store-timeout",
        Kind::Span,
        "5m",
        "silence after which a log store is given up and its replicas are placed anew",
    ),
    used("logservice.HAKeeperConfig.tn-store-timeout", Kind::Span, "10s", "the same for an engine: fail-over begins"),
    used("logservice.HAKeeperConfig.cn-store-timeout", Kind::Span, "30s", "the same for a front"),
];

const RESTORE: &str = "refused where it is enabled: records come back by `mo_ctl data-sync`";

pub(super) const BOOTSTRAP: &[Key] = &[
    used(
        "logservice.BootstrapConfig.bootstrap-cluster",
        Kind::Flag,
        "true",
        "found a cluster, if this store is one of the first members and there is none yet",
    ),
    used(
        "logservice.BootstrapConfig.num-of-log-shards",
        Kind::Whole,
        "1",
        "logs beside the keeper's own; only 1 can be",
    ),
    used("logservice.BootstrapConfig.num-of-tn-shards", Kind::Whole, "1", "must be the same number"),
    used("logservice.BootstrapConfig.num-of-log-shard-replicas", Kind::Whole, "1", "voters of each shard"),
    used(
        "logservice.BootstrapConfig.init-hakeeper-members",
        Kind::Texts,
        "131072:7c4dccb4-4d3c-41f8-b482-5251dc7a41bf",
        "the keeper's first voters, `replica id:uuid`; ids from 131072 to 262143",
    ),
    used(
        "logservice.BootstrapConfig.non-voting-locality",
        Kind::Text,
        "",
        "where non-voting replicas go, until `set logservice settings` says otherwise",
    ),
    used(
        "logservice.BootstrapConfig.standby-enabled",
        Kind::Flag,
        "false",
        "a further shard (3) for the standby; needs a fileservice `STANDBY`",
    ),
    ignored(
        "logservice.BootstrapConfig.restore.enabled",
        Kind::Flag,
        "false",
        "found a cluster from a saved log",
        RESTORE,
    ),
    ignored("logservice.BootstrapConfig.restore.file-path", Kind::Text, "hk_data", "the keeper's saved ids", RESTORE),
    ignored(
        "logservice.BootstrapConfig.restore.force",
        Kind::Flag,
        "false",
        "not used by the original either",
        RESTORE,
    ),
    ignored("logservice.BootstrapConfig.restore.wal-data-path", Kind::Text, "", "the saved log", RESTORE),
];
