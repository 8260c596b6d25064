//! What is being done, said in the status while it is done, where it takes long enough for anybody to see it.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};
use weir_apis::Object;
use weir_runtime::{Deps, Draft};

use super::WHO;

/// How long an action takes that is worth a write of its own. Most are over sooner, also where many are under way at once, and
/// their end is written.
const SOON: Duration = Duration::from_secs(3);

/// A status that is written in a moment, unless the action ends before. It holds nothing that the next process could not
/// find out again, should this one die before it is written.
#[derive(Debug)]
pub(super) struct Announcement {
    task: JoinHandle<Option<Object>>,
    /// Ends the task's wait, also when the action is dropped. A write that has begun is carried through.
    ending: DropGuard,
}

impl Announcement {
    pub(super) fn of(draft: Draft, deps: Deps) -> Self {
        let ending = CancellationToken::new();
        let ended = ending.clone();
        let task = tokio::spawn(async move {
            tokio::select! {
                biased;
                () = ended.cancelled() => None,
                () = sleep(SOON) => match draft.write(&deps, WHO.manager).await {
                    Ok(stored) => stored,
                    Err(error) => {
                        let object = draft.object.reference();
                        tracing::debug!(%object, %error, "what is being done could not be written");
                        None
                    }
                },
            }
        });
        Self {
            task,
            ending: ending.drop_guard(),
        }
    }

    /// The action is over: gives the object as it was written meanwhile, if it was.
    pub(super) async fn end(self) -> Option<Object> {
        drop(self.ending);
        self.task.await.ok().flatten()
    }
}
