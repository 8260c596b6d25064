//! `weir demo`.

mod examples;
mod narrator;
mod publish;
mod signer;
mod story;
mod world;

use clap::Args;
use weir_runtime::Settings;

use crate::global::Context;
use crate::output::Shape;
use crate::run::Result;
use crate::{Exit, Kind};
use narrator::Narrator;
use story::Story;
use world::World;

const EXAMPLES: &str = "\
Examples:
  weir demo                         # everything in this process
  weir demo --keep                  # leaves it up and prints a kubeconfig
  weir demo --kubeconfig ~/.kube/config
  weir demo --output json";

/// Tell the whole story: publish, verify, reconcile, update, drift, prune, tamper, roll back
///
/// A registry, a Sigstore and an API server start in this process, the example repositories are published and signed
/// keyless, and the controllers bring them to the cluster; then a new version, somebody's edit, a removed object, and artifacts
/// that must not get in. With --kubeconfig or --context the same happens on that cluster, in namespaces of the
/// demo's own (`weir-system`, `frontend`, `backend`), which must not exist and are removed at the end.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Demo {
    /// Leave everything up at the end, print a kubeconfig, and wait for an interrupt
    #[arg(long)]
    keep: bool,
    /// How to print the steps
    #[arg(short, long, value_enum, default_value_t)]
    output: Shape,
}

impl Demo {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        let global = &cx.global;
        let world = if global.kubeconfig.is_some() || global.context.is_some() {
            let cluster = cx.cluster().await?;
            World::on(cluster.client).await?
        } else {
            World::in_process().await?
        };
        let mut narrator = Narrator::new(self.output);
        let house = world.start(Settings::default()).await?;
        let mut stopped = cx.io.stopped();
        let mut story = Story::new(&world, &mut narrator, cx.io);
        let outcome = tokio::select! {
            outcome = story.tell() => outcome,
            // Interrupted in the middle, it cleans up all the same.
            () = &mut stopped => Err(unexpected("interrupted")),
        };
        if self.keep && outcome.is_ok() {
            for line in world.how_to_look()? {
                cx.io.talk(&line);
            }
            cx.io.flush()?;
            stopped.await;
        }
        house.stop().await;
        let cleaned = world.clean_up().await;
        narrator.finish(cx.io)?;
        outcome?;
        cleaned?;
        Ok(Exit::Success)
    }
}

/// A step that did not go as the story says: a defect, or a cluster that does not allow it.
fn unexpected(what: impl Into<String>) -> crate::CommandError {
    crate::CommandError::new(Kind::Outside, what)
}
