//! Functions by family.

pub(crate) mod args;
mod flux;
mod helm;
mod slim;
mod sprig;

pub use sprig::UrlParts;

use crate::{Entry, Functions};

/// A family of functions, as [`Functions::with`] takes it.
pub type Family = &'static [&'static [Entry]];

/// sprig 3.3, all names of 3.2.3 among them. What reaches files, the network or the environment (`env`,
/// `expandenv`, `getHostByName`) is there and refuses; what is random or needs the time asks the host.
pub static SPRIG: Family = sprig::FAMILY;

/// The functions that Helm 4 puts over sprig's: `include`, `tpl`, `required`, `toYaml` and its kin, `lookup`,
/// `fail`.
pub static HELM: Family = helm::FAMILY;

/// What Flux Operator puts over slim-sprig for ResourceSets: `toYaml`, `mustToYaml`, `slugify`. The function
/// `inputs` comes from the caller.
pub static FLUX: Family = flux::FAMILY;

impl Functions {
    /// What Helm's templates have.
    pub fn helm() -> Self {
        let mut functions = Self::builtins().with(SPRIG).with(HELM);
        functions.remove("env");
        functions.remove("expandenv");
        functions
    }

    /// slim-sprig 3's hermetic functions over Go's own.
    pub fn slim() -> Self {
        slim::add(Self::builtins())
    }

    /// What the templates of ResourceSets have, but for `inputs`.
    pub fn flux() -> Self {
        Self::slim().with(FLUX)
    }
}
