//! Rendered text taken apart: documents, hooks, and the order in which they are installed.

mod head;
mod hook;
mod kinds;
mod sort;
mod split;
mod text;

pub use head::Head;
pub use hook::{Event, Hook, HookRun, Phase, Policy};
pub use kinds::Order;
pub use sort::{Manifest, ManifestError, Sorted, sort};
pub(crate) use sort::{put_in_order, read, sort_shared};
pub use split::split;
pub use text::Text;
