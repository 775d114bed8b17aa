//! The keys of `launch.toml`.

use super::{Idle, Key, ignored, used};
use crate::value::Kind;

const FRONT: &str = "Drydock's front serves SQL itself";

pub(super) const KEYS: &[Key] = &[
    used("logservices", Kind::Texts, "", "the files of the log services, relative to where the program is run"),
    used("tnservices", Kind::Texts, "", "the files of the services that run or watch an engine"),
    used("cnservices", Kind::Texts, "", "the files of the services that serve SQL"),
    ignored("proxy-services", Kind::Texts, "", "the files of proxies", FRONT),
    ignored(
        "python-udf-services",
        Kind::Texts,
        "",
        "the files of Python servers",
        "Drydock runs no functions of users",
    ),
    ignored("dynamic.enable", Kind::Flag, "false", "start CN services on demand", FRONT),
    ignored("dynamic.ctl-address", Kind::Text, "", "where to ask for them", FRONT),
    ignored("dynamic.cn-template", Kind::Text, "", "the file to start them from", FRONT),
    ignored("dynamic.service-count", Kind::Whole, "0", "how many", FRONT),
    ignored("dynamic.cpu-count", Kind::Whole, "0", "processors for each", FRONT),
];

pub(super) const IDLE: &[Idle] = &[];

pub(super) const OPEN: &[(&str, &str)] = &[("dynamic.chaos", "a test of the original's")];
