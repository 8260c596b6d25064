//! `weir wait`.

use clap::Args;

use crate::follow::{Until, until_ready};
use crate::global::Context;
use crate::kinds::Words;
use crate::output::Shape;
use crate::reconcile::Outcomes;
use crate::{CommandError, run::Result};

const EXAMPLES: &str = "\
Examples:
  weir wait kustomization apps --timeout 10m
  weir wait ks apps --output json
  weir wait ks apps --digest sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08

In CI, after a push: exit code 0 says that exactly that artifact is applied and healthy.";

/// Wait until objects are ready, with exactly the artifact that was named
///
/// A failed attempt is not the end, because controllers try again; an object that gave up for good is. When time
/// runs out, the last thing that the object said is the error.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Wait {
    #[command(flatten)]
    words: Words,
    /// Digest of the artifact that must be in use
    #[arg(long, value_name = "DIGEST")]
    digest: Option<weir_oci::Digest>,
    /// Give up at the first failed attempt
    #[arg(long)]
    fail_fast: bool,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t)]
    output: Shape,
}

impl Wait {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        let (kind, names) = self.words.named()?;
        if self.digest.is_some() && names.len() > 1 {
            return Err(CommandError::usage("`--digest` goes with one name"));
        }
        let cluster = cx.cluster().await?;
        let deadline = cx.deadline();
        let digest = self.digest.map(|digest| digest.to_string());
        let mut outcomes = Outcomes::new(self.output);
        for name in &names {
            let reference = cluster.reference(kind, name);
            let until = Until {
                token: None,
                digest: digest.as_deref(),
                first_failure: self.fail_fast,
            };
            let object = until_ready(cx, &cluster, &reference, until, deadline).await?;
            outcomes.tell(cx.io, &object)?;
        }
        outcomes.finish(cx.io)
    }
}
