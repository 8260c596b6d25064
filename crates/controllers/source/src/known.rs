//! What policies are made of and takes time to read: trust roots, patterns and expressions, kept by what they were read from.
//!
//! By their content, and not by the Secret or the policy that has it: what is there now is asked for each time, so that a change
//! counts at the next reconcile (security case N23). Nothing of it is secret, and nothing of a Secret but this is kept.

use std::sync::Arc;

use weir_oci::Digest;
use weir_re2::{Pattern, PatternError};
use weir_verify::{InvalidTrustRoot, TrustRoot};

use crate::kept::Kept;
use crate::policies::Expression;

/// How many of each are kept. A cluster has one trust root or a few, but tenants may bring their own.
const MOST_ROOTS: usize = 32;
const MOST_TEXTS: usize = 1024;

/// The longest trust root that is kept, in bytes; the public-good instance's has 7,000. Longer ones are read each time.
const LONGEST_ROOT: usize = 64 * 1024;

/// What was read before.
#[derive(Debug)]
pub struct Known {
    roots: Kept<Digest, TrustRoot>,
    patterns: Kept<String, Pattern>,
    expressions: Kept<String, Arc<Expression>>,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            roots: Kept::new(MOST_ROOTS),
            patterns: Kept::new(MOST_TEXTS),
            expressions: Kept::new(MOST_TEXTS),
        }
    }
}

impl Known {
    /// The trust root that a document is.
    pub(crate) fn root(&self, json: &[u8]) -> Result<TrustRoot, InvalidTrustRoot> {
        if json.len() > LONGEST_ROOT {
            return TrustRoot::from_json(json);
        }
        self.roots
            .get_or(&Digest::of(json), || TrustRoot::from_json(json))
    }

    /// The pattern that a text is.
    pub(crate) fn pattern(&self, text: &str) -> Result<Pattern, PatternError> {
        self.patterns.get_or(&text.to_owned(), || Pattern::new(text))
    }

    /// The expression that a text is, or what is wrong with it.
    pub(crate) fn expression(&self, text: &str) -> Result<Arc<Expression>, String> {
        self.expressions
            .get_or(&text.to_owned(), || Expression::new(text).map(Arc::new))
    }
}

#[cfg(test)]
mod tests {
    use weir_standin_sigstore::Sigstore;

    use super::*;

    #[test]
    fn n23_a_trust_root_is_known_by_its_content() {
        let known = Known::default();
        let new = || {
            let sigstore = Sigstore::new("2026-01-01T00:00:00Z".parse().unwrap());
            sigstore.trusted_root().to_string().into_bytes()
        };
        let (one, other) = (new(), new());
        assert_ne!(one, other);
        for json in [&one, &other, &one] {
            let root = known.root(json).unwrap();
            assert_eq!(root.fingerprint(), Digest::of(json));
        }
        assert!(known.root(b"{}").is_err());
    }
}
