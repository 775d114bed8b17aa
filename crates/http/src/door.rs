//! What every handler shares.

use crate::{HttpSettings, limiter::Limiter, prometheus::Meter};
use control::Control;
use std::sync::{Arc, atomic::AtomicUsize};
use tokio_util::sync::CancellationToken;

/// The hall behind the door, and the door's own tools. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Door(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) control: Control,
    pub(crate) settings: HttpSettings,
    pub(crate) meter: Meter,
    pub(crate) limiter: Limiter,
    /// Watchers (`WebSocket`s) open now.
    pub(crate) watchers: AtomicUsize,
    pub(crate) shutdown: CancellationToken,
}

impl Door {
    pub(crate) fn new(control: Control, settings: HttpSettings, shutdown: CancellationToken) -> Self {
        let limiter = Limiter::new(control.clock());
        let (meter, watchers) = (Meter::new(), AtomicUsize::new(0));
        Self(Arc::new(Inner { control, settings, meter, limiter, watchers, shutdown }))
    }

    /// The hall.
    pub(crate) fn control(&self) -> &Control {
        &self.0.control
    }
}

impl std::ops::Deref for Door {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
