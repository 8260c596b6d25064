//! How a reconcile ends.

use std::time::Duration;

pub use weir_cluster::chain;

/// The end of one reconcile.
pub type Verdict = Result<Success, Failure>;

/// The object is in the state that its spec asks for.
#[derive(Debug, Clone)]
pub struct Success {
    /// Reason of the Ready condition.
    pub reason: &'static str,
    /// Message of the Ready condition.
    pub message: String,
    /// When to look again. `None`: only when something changes.
    pub again: Option<Duration>,
    /// How long the next look may wait at most, whatever `again` says: something ends then.
    pub at_latest: Option<Duration>,
}

/// The object is not in the state that its spec asks for.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What follows.
    pub kind: Kind,
    /// Reason of the Ready condition; each has a page in `docs/reasons/`.
    pub reason: &'static str,
    /// Message of the Ready condition.
    pub message: String,
    /// Not worth a write: what is waited for comes in a moment, as a rule.
    pub quiet: bool,
    /// Reason and message of the Ready condition, where it is to say something else than the others.
    pub ready: Option<Box<(String, String)>>,
    /// Whether the generation counts as observed all the same.
    pub observed: bool,
}

/// What follows a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing, until the object changes: trying again can't help.
    Stalled,
    /// A look after this time: something else must happen first.
    Waiting(Duration),
    /// Another try after this time, or with a growing pause where none is given.
    Retry(Option<Duration>),
    /// Nothing to be done about it; a look after this time, as after a success.
    Settled(Duration),
}

impl Failure {
    fn new(kind: Kind, reason: &'static str, message: String) -> Self {
        Self {
            kind,
            reason,
            message,
            quiet: false,
            ready: None,
            observed: false,
        }
    }

    /// Trying again can't help until the object changes.
    pub fn stalled(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Stalled, reason, message.into())
    }

    /// Something else must happen first.
    pub fn waiting(reason: &'static str, after: Duration, message: impl Into<String>) -> Self {
        Self::new(Kind::Waiting(after), reason, message.into())
    }

    /// Waiting, and what is waited for comes in a moment, as a rule: no status, no event.
    #[must_use]
    pub fn quietly(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// Another try may help; the pause grows.
    pub fn retry(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Retry(None), reason, message.into())
    }

    /// Another try may help, after this time.
    pub fn retry_after(reason: &'static str, after: Duration, message: impl Into<String>) -> Self {
        Self::new(Kind::Retry(Some(after)), reason, message.into())
    }

    /// There is nothing to be done about it; the next look follows after this time. The generation is observed.
    pub fn settled(reason: &'static str, after: Duration, message: impl Into<String>) -> Self {
        Self::new(Kind::Settled(after), reason, message.into()).observed()
    }

    /// The Ready condition says this instead.
    #[must_use]
    pub fn ready(mut self, reason: impl Into<String>, message: impl Into<String>) -> Self {
        self.ready = Some(Box::new((reason.into(), message.into())));
        self
    }

    /// The generation counts as observed.
    #[must_use]
    pub fn observed(mut self) -> Self {
        self.observed = true;
        self
    }
}

/// A duration field of a spec, such as `10m` or `1h30m`. Anything else stalls: only a change of the object can help.
pub fn duration(field: &str, text: &str) -> Result<Duration, Failure> {
    weir_semver::duration::Duration::parse(text)
        .ok()
        .and_then(weir_semver::duration::Duration::to_std)
        .ok_or_else(|| {
            let message = format!("{field}: '{text}' is not a duration such as 10m or 1h30m");
            Failure::stalled(weir_apis::reason::INVALID_SPEC, message)
        })
}
