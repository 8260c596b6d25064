//! What the actions on a release decide: which objects come and go, which hooks run, what the record says.
//!
//! Nothing here reads or writes: `weir-releases` asks and carries out. The rules and the words are those of Helm 4.2
//! (`pkg/action`, `pkg/storage`, `pkg/kube`), and Flux's where it has its own (flux-controllers.md, 4.6).

mod difference;
mod history;
mod hooks;
mod method;
mod objects;
mod ownership;
mod record;
mod reuse;

pub use difference::{Fate, fate_of, is_kept, newcomers, original_of, removed};
pub use history::{BaseError, Bases, bases, deployed, is_free, present, prunable, rollback_target};
pub use hooks::{Filter, after_failure, after_success, chosen};
pub use method::Method;
pub use objects::{ManifestObjectError, from_document, from_manifest};
pub use ownership::{NotOwned, describe, own, owned_by, uses_generated_name};
pub use record::{Start, fail, install, merge_labels, unlock, upgrade};
pub use record::{deploy, rollback, supersede};
pub use reuse::{reused, with_values_of};
