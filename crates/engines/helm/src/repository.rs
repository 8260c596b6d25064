//! Chart repositories: the index of one, and which version of a chart a range means.

mod choose;
mod index;
mod published;
mod read;

pub use choose::{NotFound, highest_tag, is_range};
pub use index::{Index, IndexEntry};
pub use published::{Blob, chart_manifest};
pub use read::IndexError;
