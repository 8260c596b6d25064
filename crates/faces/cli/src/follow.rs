//! Waiting for an object, and saying what it says meanwhile.

use std::time::Duration;

use tokio::time::Instant;
use weir_apis::{Object, ObjectRef};

use crate::CommandError;
use crate::global::{Cluster, Context};
use crate::run::Result;
use crate::status::{Progress, digest_of, progress, revision, text};

/// How often an object is looked at. A second is quick enough for a person and nothing for an API server.
const PAUSE: Duration = Duration::from_secs(1);

/// When waiting is over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Until<'a> {
    /// Only the reconcile that was requested with this token counts.
    pub(crate) token: Option<&'a str>,
    /// Only this digest counts.
    pub(crate) digest: Option<&'a str>,
    /// A failed attempt ends it, although another may follow.
    pub(crate) first_failure: bool,
}

/// Waits until an object is ready in the sense of `until`, and returns it. Its messages go to standard error,
/// each once.
///
/// # Errors
/// When it fails, is gone, is suspended, or `deadline` comes first: then with what it said last.
pub(crate) async fn until_ready(
    cx: &mut Context<'_>,
    cluster: &Cluster,
    reference: &ObjectRef,
    until: Until<'_>,
    deadline: Instant,
) -> Result<Object> {
    let mut said = String::new();
    loop {
        let object = cluster.must_get(reference).await?;
        let (news, last) = match judge(&object, until) {
            Verdict::Ready => return Ok(object),
            Verdict::Failed(error) => return Err(error),
            Verdict::Wait { news, error } => (news, error),
        };
        if !news.is_empty() && news != said {
            cx.io.talk(&format!("{reference}: {news}"));
            said = news;
        }
        if Instant::now() + PAUSE > deadline {
            let error = cx.timed_out(&format!("waiting for {reference}"));
            return Err(match last {
                Some(reason) => error
                    .cause(said)
                    .hint(format!("`weir explain {reason}` says what can be done")),
                None if said.is_empty() => error,
                None => error.cause(said),
            });
        }
        tokio::time::sleep(PAUSE).await;
    }
}

enum Verdict {
    Ready,
    Failed(CommandError),
    Wait {
        news: String,
        /// Reason of the last failure.
        error: Option<String>,
    },
}

fn judge(object: &Object, until: Until<'_>) -> Verdict {
    let reference = object.reference();
    if crate::status::is_suspended(object) {
        return Verdict::Failed(
            CommandError::rejected(format!("{reference} is suspended")).hint(format!(
                "`weir resume {} {}` lets it go on",
                reference.gvk.kind.to_ascii_lowercase(),
                reference.name
            )),
        );
    }
    let progress = progress(object, until.token);
    if let Some(digest) = until.digest {
        // Ready says it of what is applied; a failure says it of what was tried.
        let applied = digest_of(revision(object)) == digest;
        let attempted = digest_of(text(object, &["status", "lastAttemptedRevision"])) == digest;
        match &progress {
            Progress::Done(_) if !applied => return elsewhere(object, ""),
            Progress::Failed { message, stalled, .. } if !attempted && !stalled => {
                return elsewhere(object, message);
            }
            _ => {}
        }
    }
    match progress {
        Progress::Done(_) => Verdict::Ready,
        Progress::Working(news) => Verdict::Wait { news, error: None },
        Progress::Failed {
            reason,
            message,
            stalled,
        } if stalled || until.first_failure => Verdict::Failed(
            CommandError::rejected(format!("{reference} is not ready: {message}"))
                .hint(format!("`weir explain {reason}` says what can be done")),
        ),
        Progress::Failed { reason, message, .. } => Verdict::Wait {
            news: message,
            error: Some(reason),
        },
    }
}

/// Not at the digest yet, whatever else it says.
fn elsewhere(object: &Object, message: &str) -> Verdict {
    let now = revision(object);
    let now = if now.is_empty() { "nothing" } else { now };
    let tail = if message.is_empty() {
        String::new()
    } else {
        format!(": {message}")
    };
    Verdict::Wait {
        news: format!("is at {now}{tail}"),
        error: None,
    }
}
