//! A read part of a pattern, and the limits on patterns.

use crate::error::{ErrorCode, PatternError};

/// How deep an expression may be. Go allows 1000; the compiler of the `regex` crate is recursive, and this is
/// the depth up to which that crate itself vouches for its use of the stack.
const MAX_HEIGHT: u32 = 250;

/// How many instructions a compiled pattern may have: 128 MiB at 40 bytes each, as in Go.
const MAX_SIZE: u64 = (128 << 20) / 40;

/// A part of a pattern, with what the limits are measured by.
pub(super) struct Node {
    /// The part in the `regex` crate's syntax, fit to stand next to others but not to be repeated.
    pub(super) text: String,
    /// How deep it is.
    height: u32,
    /// How often nested counted repetitions copy their innermost part.
    pub(super) copies: u32,
    /// How many instructions it would take.
    size: u64,
}

impl Node {
    /// A character, a class or an assertion.
    pub(super) const fn leaf(text: String) -> Self {
        Self {
            text,
            height: 1,
            copies: 1,
            size: 1,
        }
    }

    pub(super) fn concat(nodes: Vec<Self>) -> Self {
        Self::join(nodes, "", 0)
    }

    pub(super) fn alternation(nodes: Vec<Self>) -> Self {
        let grouped = nodes.len() > 1;
        let mut joined = Self::join(nodes, "|", 1);
        if grouped {
            joined.text = format!("(?:{})", joined.text);
        }
        joined
    }

    /// Joins nodes; each one takes `extra` instructions more.
    fn join(nodes: Vec<Self>, separator: &str, extra: u64) -> Self {
        if nodes.is_empty() {
            return Self::leaf("(?:)".to_owned());
        }
        let nested = u32::from(nodes.len() > 1);
        let mut joined = Self {
            text: String::new(),
            height: 1,
            copies: 1,
            size: 0,
        };
        for (index, node) in nodes.iter().enumerate() {
            joined.text.push_str(if index > 0 { separator } else { "" });
            joined.text.push_str(&node.text);
            joined.height = joined.height.max(node.height.saturating_add(nested));
            joined.copies = joined.copies.max(node.copies);
            joined.size = joined.size.saturating_add(node.size).saturating_add(extra);
        }
        joined
    }

    /// This node `min` to `max` times.
    pub(super) fn repeated(self, min: u32, max: Option<u32>, greedy: bool) -> Self {
        let most = max.unwrap_or(min.max(1));
        let bound = match (min, max) {
            (0, None) => "*".to_owned(),
            (1, None) => "+".to_owned(),
            (0, Some(1)) => "?".to_owned(),
            (min, None) => format!("{{{min},}}"),
            (min, Some(max)) => format!("{{{min},{max}}}"),
        };
        let lazy = if greedy { "" } else { "?" };
        Self {
            text: format!("(?:{}){bound}{lazy}", self.text),
            height: self.height.saturating_add(1),
            // What is repeated no times copies nothing.
            copies: self.copies.saturating_mul(most).max(1),
            size: self.size.saturating_mul(most.into()).saturating_add(2),
        }
    }

    /// This node as a numbered group.
    pub(super) fn captured(self) -> Self {
        Self {
            text: format!("({})", self.text),
            height: self.height.saturating_add(1),
            copies: self.copies,
            size: self.size.saturating_add(2),
        }
    }

    pub(super) fn within_limits(self, source: &str) -> Result<Self, PatternError> {
        if self.size > MAX_SIZE {
            return Err(PatternError::new(ErrorCode::Large, source));
        }
        if self.height > MAX_HEIGHT {
            return Err(PatternError::new(ErrorCode::NestingDepth, source));
        }
        Ok(self)
    }
}
