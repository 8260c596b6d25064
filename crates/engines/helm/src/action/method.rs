//! By whom changes are merged.

use crate::release::{ApplyMethod, Release};

/// How an upgrade or a rollback chooses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Method {
    /// By the API server.
    Enabled,
    /// By the client.
    Disabled,
    /// As the earlier revision was.
    #[default]
    Auto,
}

impl Method {
    /// Reads Flux's word; empty is `auto`.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "enabled" => Self::Enabled,
            "disabled" => Self::Disabled,
            "auto" | "" => Self::Auto,
            _ => return None,
        })
    }

    /// Decides, given the revision that counts for `auto`: the last one for an upgrade, the target for a rollback.
    pub fn decide(self, earlier: &Release) -> ApplyMethod {
        match self {
            Self::Enabled => ApplyMethod::Server,
            Self::Disabled => ApplyMethod::Client,
            Self::Auto => earlier.apply_method(),
        }
    }
}
