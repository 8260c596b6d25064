//! The Go libraries' answers about a text.

use anyhow::Result;

use crate::oracle::{Answer, Oracle};

/// What the Go libraries make of one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answers {
    /// kyaml's `Parse` and `String`.
    pub(crate) printed: Answer,
    /// kyaml's `Parse` and `MarshalJSON`.
    pub(crate) kyaml: Answer,
    /// `YAMLToJSON` of sigs.k8s.io/yaml.
    pub(crate) sigs: Answer,
    /// Its `YAMLToJSONStrict`.
    pub(crate) strict: Answer,
    /// `YAMLToJSON` and then `JSONToYAML`.
    pub(crate) again: Answer,
}

impl Answers {
    /// Asks about a text.
    pub(crate) fn about(oracle: &mut Oracle, text: &str) -> Result<Self> {
        oracle.send(text.as_bytes())?;
        Ok(Self {
            printed: oracle.answer()?,
            kyaml: oracle.answer()?,
            sigs: oracle.answer()?,
            strict: oracle.answer()?,
            again: oracle.answer()?,
        })
    }

    /// Whether they change from one time to the next: of keys that are two to the reader and one in JSON, such as `1` and
    /// `"1"`, the one that Go's map happens to give last wins.
    pub(crate) fn change(&self, oracle: &mut Oracle, text: &str) -> Result<bool> {
        // What comes up in every second answer is missed once in a million.
        for _ in 0..20 {
            if Self::about(oracle, text)? != *self {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
