//! The hall: one function per use case. Rights, input, audit and passwords are settled here and nowhere else.

mod caller;
mod control;
mod settings;

pub use caller::{Caller, Role};
pub use control::{Control, Created};
pub use settings::{
    AlertSettings, ClusterSettings, Concurrency, DatabaseSettings, MetricsSettings, RecycleDefaults, Settings, TlsMode,
    TokenSettings,
};
