//! What a stand-in server is told at its start.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Who sends a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct User {
    /// User name: `alice`, `system:serviceaccount:apps:default`.
    pub name: String,
    /// Unique id, may be empty.
    pub uid: String,
    /// Groups, without `system:authenticated`, which the server adds.
    pub groups: Vec<String>,
    /// Extra attributes.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl User {
    /// A user with a name and groups.
    pub fn new(name: impl Into<String>, groups: &[&str]) -> Self {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        Self {
            name: name.into(),
            groups,
            ..Self::default()
        }
    }

    /// The cluster administrator, a member of `system:masters`.
    pub fn admin() -> Self {
        Self::new("system:admin", &["system:masters"])
    }
}

/// How a [`crate::ApiServer`] behaves.
#[derive(Clone)]
pub struct Options {
    /// Tells the time that objects carry. Delays use tokio's clock instead, so that a paused one simulates.
    pub now: Clock,
    /// Seeds uids and generated names: servers with one seed give the same ones in the same order.
    pub seed: u64,
    /// How long workloads take to become ready by themselves; `None`: never, a test sets their status.
    pub ready_after: Option<Duration>,
    /// Who a request of this process without credentials is. `None` makes it `system:anonymous`, as requests through
    /// a listener are in any case.
    pub default_user: Option<User>,
    /// Bearer tokens and their users.
    pub tokens: BTreeMap<String, User>,
    /// Changes the server remembers for watches and paged lists; older ones answer 410.
    pub history: usize,
    /// How often a watch that asked for bookmarks gets one.
    pub bookmark_every: Duration,
}

impl Default for Options {
    /// The system's clock, workloads ready after a second, requests without credentials from the administrator.
    fn default() -> Self {
        Self {
            now: Arc::new(Timestamp::now),
            seed: 0,
            ready_after: Some(Duration::from_secs(1)),
            default_user: Some(User::admin()),
            tokens: BTreeMap::new(),
            history: 100_000,
            bookmark_every: Duration::from_mins(1),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Tokens are credentials: their number is enough.
        f.debug_struct("Options")
            .field("seed", &self.seed)
            .field("ready_after", &self.ready_after)
            .field("default_user", &self.default_user)
            .field("tokens", &self.tokens.len())
            .field("history", &self.history)
            .field("bookmark_every", &self.bookmark_every)
            .finish_non_exhaustive()
    }
}
