//! The hall: one function per use case. Rights, input, audit and passwords are settled here and nowhere else.

mod access;
mod alerts;
mod approval;
mod asking;
mod audit;
mod caller;
mod clusters;
mod decision;
mod hall;
mod hands;
mod input;
mod keyring;
mod reading;
mod record;
mod regrowth;
mod sampler;
mod settings;
mod tenants;
mod watch;
mod work;

pub use access::{new_token, token_digest};
pub use caller::{Caller, Role};
pub use decision::Decision;
pub use hall::Control;
pub use hands::dot;
pub use sampler::Gauge;
pub use settings::{
    AlertSettings, Budget, ClusterSettings, Concurrency, DatabaseSettings, DiscoverySettings, Heartbeat,
    MetricsSettings, RecycleDefaults, RegrowthSettings, Settings, TlsMode, TokenSettings, Window,
};
pub use watch::Updates;
pub use work::Created;
