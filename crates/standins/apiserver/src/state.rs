//! Everything the server remembers.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Map, Value};
use weir_schema::Schemas;

use crate::controllers::Job;
use crate::options::{Options, User};
use crate::registry::Registry;
use crate::store::{Key, Store};

/// The server's memory, behind one lock: every request sees it whole.
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) registry: Registry,
    pub(crate) schemas: Arc<Schemas>,
    pub(crate) rng: StdRng,
    /// Bearer tokens, given at the start or handed out for service accounts.
    pub(crate) tokens: BTreeMap<String, User>,
    /// Work to do after a delay; the server takes it after each request.
    pub(crate) jobs: Vec<(Duration, Job)>,
    pub(crate) ready_after: Option<Duration>,
    /// The built-in types as OpenAPI, made when first asked for.
    pub(crate) components: OnceLock<Map<String, Value>>,
}

impl State {
    pub(crate) fn new(options: &Options) -> Self {
        let schemas = Arc::new(Schemas::builtin());
        Self {
            store: Store::new(options.history),
            registry: Registry::new(&schemas),
            schemas,
            rng: StdRng::seed_from_u64(options.seed),
            tokens: options.tokens.clone(),
            jobs: Vec::new(),
            ready_after: options.ready_after,
            components: OnceLock::new(),
        }
    }

    /// The namespace called `name`.
    pub(crate) fn namespace(&self, name: &str) -> Option<&Arc<Value>> {
        self.store.get(&Key::new("", "namespaces"), "", name)
    }
}
