//! `weir suspend` and `weir resume`: two words for one field.

use clap::Args;
use serde_json::json;

use crate::follow::{Until, until_ready};
use crate::global::Context;
use crate::kinds::Words;
use crate::output::Shape;
use crate::reconcile::{MANAGER, Outcomes};
use crate::status;
use crate::{CommandError, run::Result};

const SUSPEND_EXAMPLES: &str = "\
Examples:
  weir suspend kustomization apps
  weir suspend source oci --all --namespace team-a";

const RESUME_EXAMPLES: &str = "\
Examples:
  weir resume kustomization apps --wait
  weir resume source oci --all --namespace team-a";

/// Stop reconciling objects; what they have applied stays
#[derive(Debug, Args)]
#[command(after_help = SUSPEND_EXAMPLES)]
pub(crate) struct Suspend {
    #[command(flatten)]
    which: Which,
}

/// Go on reconciling objects
#[derive(Debug, Args)]
#[command(after_help = RESUME_EXAMPLES)]
pub(crate) struct Resume {
    #[command(flatten)]
    which: Which,
    /// Wait until each object is ready
    #[arg(long)]
    wait: bool,
}

#[derive(Debug, Args)]
struct Which {
    #[command(flatten)]
    words: Words,
    /// Every object of the kind in the namespace
    #[arg(long)]
    all: bool,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t)]
    output: Shape,
}

impl Suspend {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        self.which.set(cx, true, false).await
    }
}

impl Resume {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        self.which.set(cx, false, self.wait).await
    }
}

impl Which {
    async fn set(self, cx: &mut Context<'_>, suspend: bool, wait: bool) -> Result {
        let selection = self.words.select(false)?;
        if selection.names.is_empty() != self.all {
            return Err(CommandError::usage("give either names or `--all`"));
        }
        let cluster = cx.cluster().await?;
        let mut objects = Vec::new();
        for kind in &selection.kinds {
            objects.extend(cluster.find(kind, &selection.names, false, "").await?);
        }
        let deadline = cx.deadline();
        let mut outcomes = Outcomes::new(self.output);
        for object in &objects {
            let reference = object.reference();
            if status::is_suspended(object) == suspend {
                cx.io.talk(&format!("{reference}: nothing to do"));
            } else {
                cluster
                    .client
                    .merge(&reference, &json!({"spec": {"suspend": suspend}}), MANAGER)
                    .await?;
            }
            if !wait {
                outcomes.tell_suspended(cx.io, &reference, suspend)?;
            }
        }
        if wait {
            // All go on first, then each is waited for: one may depend on another.
            for object in &objects {
                let reference = object.reference();
                let until = Until {
                    token: None,
                    digest: None,
                    first_failure: false,
                };
                let object = until_ready(cx, &cluster, &reference, until, deadline).await?;
                outcomes.tell(cx.io, &object)?;
            }
        }
        outcomes.finish(cx.io)
    }
}
