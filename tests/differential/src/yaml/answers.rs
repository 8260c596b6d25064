//! The Go libraries' answers about a text.

use anyhow::Result;

use crate::oracle::{Answer, Oracle};

/// What the Go libraries make of one text.
#[derive(Clone, Debug)]
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
}
