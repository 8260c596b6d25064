//! The life cycle of Helm releases: install, upgrade, roll back, uninstall, test.
//!
//! It does to a cluster what Helm 4.2 does as Flux's helm-controller drives it, and keeps the same records, so that
//! `helm` and weir take turns on one release. What is decided is decided in `weir_helm::action`; this crate asks the API
//! server and carries out.
//!
//! - [`Context`]: what an action works with: a client that acts for somebody, the [`Storage`] of records, a clock, a log.
//! - [`Records`] and [`Discovery`]: what is remembered between actions as long as watches say that it has not changed.
//! - [`Template`]: a chart with values; an action renders it, since the revision and the cluster's APIs are known only
//!   then. `lookup` goes through the context's client, with its rights and no others (security case N15).
//! - [`install`], [`upgrade`], [`rollback`], [`uninstall`], [`test()`]: the actions. Each gives what it did, or an
//!   [`ActionError`], which says whether a record was written.
//! - [`unlock`]: marks a release as failed whose action was broken off.
//!
//! **Guarantees.** Whatever the moment at which the process dies, unlocking and upgrading again (or installing, where
//! nothing was recorded; or uninstalling) comes to the same end. A cancelled action records a failure; one whose future
//! is dropped is one that died. What the log and errors say goes through the log's mask (security case N56).
//!
//! **Not done here.** Nothing is fetched; whether to act, and what to do after a failure, is the caller's to decide.
//! Hooks' output is not collected. Objects are not validated by the client: Helm leaves that to API servers that can
//! (`fieldValidation`, all since 1.27), so that Flux's `disableOpenAPIValidation` changes nothing there, nor here.
//!
//! ```
//! use std::sync::Arc;
//! use weir_cluster::{SystemClock, connect};
//! use weir_helm::{Chart, File, NoArchives, Status};
//! use weir_releases::{Context, InstallOptions, Log, Storage, Template, install};
//! use weir_standin_apiserver::{ApiServer, Options};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(async {
//! let client = connect::in_process(ApiServer::new(Options::default()), "example");
//! let files = vec![
//!     File::new("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"),
//!     File::new("templates/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"),
//! ];
//! let template = Template {
//!     chart: Arc::new(Chart::from_files(files, &NoArchives).expect("a chart")),
//!     values: Arc::default(),
//!     origins: weir_helm::Origins::default(),
//!     host: Box::new(weir_gotmpl::NoHost),
//!     post: None,
//!     strategy: weir_helm::Strategy::default(),
//!     skip_schema: false,
//! };
//! let (log, storage) = (Log::new(5, weir_redact::Mask::default()), Storage::new(client.clone(), "default", "helm"));
//! let context = Context {
//!     client: &client,
//!     storage: &storage,
//!     discovery: None,
//!     clock: &SystemClock,
//!     name: "web",
//!     namespace: "default",
//!     manager: "helm",
//!     health: &weir_plan::HealthRules::default(),
//!     log: &log,
//!     cancel: &tokio_util::sync::CancellationToken::new(),
//! };
//! let done = install(&context, template, &InstallOptions::default()).await.expect("nothing is in the way");
//! assert_eq!(done.release.status(), Status::Deployed);
//! assert_eq!(done.changes.created.len(), 1);
//! # });
//! ```

mod adopt;
mod build;
mod capabilities;
mod context;
mod crds;
mod discovery;
mod error;
mod hooks;
mod install;
mod log;
mod patch;
mod records;
mod rollback;
mod storage;
mod template;
mod test;
mod uninstall;
mod unlock;
mod upgrade;
mod wait;
mod write;

pub use capabilities::capabilities;
pub use context::{Context, Done, Run, WaitStrategy};
pub use crds::{Crds, CrdsPolicy};
pub use discovery::Discovery;
pub use error::{ActionError, Reason};
pub use install::{InstallOptions, install};
pub use log::{Line, Log};
pub use records::Records;
pub use rollback::{RollbackOptions, rollback};
pub use storage::{Storage, StorageError};
pub use template::Template;
pub use test::{TestOptions, test};
pub use uninstall::{UninstallOptions, uninstall};
pub use unlock::unlock;
pub use upgrade::{UpgradeOptions, upgrade};
pub use write::Changes;
