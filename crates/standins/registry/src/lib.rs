//! An OCI 1.1 registry in memory, for the demo, the preview and the tests.
//!
//! It speaks the whole distribution protocol (pull, push in one piece and in chunks, mounts, tags, referrers,
//! deletion), can ask for credentials, can refuse to keep referrers as GHCR does, and lets its owner do what
//! no honest registry does: move tags behind everyone's back, change stored bytes, answer wrongly. It keeps
//! nothing on disk and is no production store.
//!
//! Start with [`Registry`]; [`Options`] says how it behaves and [`Fault`] how it misbehaves.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use weir_standin_registry::{Options, Registry};
//!
//! let registry = Registry::new(Options::default());
//! let handle = registry.start().await.unwrap();
//! let layer = registry.put_blob("org/app", b"content".as_slice());
//! assert!(registry.blob("org/app", &layer).is_some());
//! println!("docker pull {}/org/app", handle.addr());
//! handle.shutdown().await;
//! # });
//! ```

mod access;
mod api;
mod fault;
mod options;
mod owner;
mod serve;
mod state;

pub use fault::{Effect, Fault};
pub use options::{Auth, Options};
pub use owner::{RefusedManifest, Seen};
pub use serve::Handle;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The registry. Clones are the same registry.
#[derive(Debug, Clone)]
pub struct Registry {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    options: Options,
    state: Mutex<state::State>,
}

impl Registry {
    /// An empty registry.
    pub fn new(options: Options) -> Self {
        Self {
            inner: Arc::new(Inner {
                options,
                state: Mutex::default(),
            }),
        }
    }

    fn options(&self) -> &Options {
        &self.inner.options
    }

    /// No code that holds the lock waits or panics between two halves of a change.
    fn state(&self) -> MutexGuard<'_, state::State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
