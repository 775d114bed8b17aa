//! How jobs look around: asked anew each time, as the configuration may have been loaded again since the workers began.

use std::{fmt, sync::Arc};
use topology::DiscoverOptions;

/// Where a job's discovery takes its options from.
#[derive(Clone)]
pub struct Looks(Arc<dyn Fn() -> DiscoverOptions + Send + Sync>);

impl Looks {
    /// Options worked out at each look.
    pub fn new(options: impl Fn() -> DiscoverOptions + Send + Sync + 'static) -> Self {
        Self(Arc::new(options))
    }

    /// As they are now.
    pub fn now(&self) -> DiscoverOptions {
        (self.0)()
    }
}

impl Default for Looks {
    fn default() -> Self {
        Self::new(DiscoverOptions::default)
    }
}

impl fmt::Debug for Looks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Looks").field(&self.now()).finish()
    }
}
