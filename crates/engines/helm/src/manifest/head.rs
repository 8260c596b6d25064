//! What Helm needs to know of a rendered document.

use std::collections::BTreeMap;

use crate::chart::decode::{self, Fields};
use crate::chart::json::HEAD;

/// The head of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// `apiVersion`
    pub version: String,
    /// `kind`
    pub kind: String,
    /// `metadata.name`
    pub name: String,
    /// `metadata.annotations`
    pub annotations: BTreeMap<String, String>,
}

impl Head {
    /// Reads a document; the whole of it must be YAML.
    pub fn parse(document: &str) -> Result<Self, String> {
        const METADATA: &str =
            r#"struct { Name string "json:\"name\""; Annotations map[string]string "json:\"annotations\"" }"#;
        let Some(node) = decode::document(document)? else {
            return Ok(Self::default());
        };
        HEAD.check(&node)?;
        let fields = Fields::of(&node, "SimpleHead", "util.SimpleHead")?;
        let mut head = Self {
            version: fields.text("apiVersion")?,
            kind: fields.text("kind")?,
            ..Self::default()
        };
        if let Some(metadata) = fields.fields("metadata", "SimpleHead.metadata", METADATA)? {
            head.name = metadata.text("name")?;
            head.annotations = metadata.text_map("annotations")?;
        }
        Ok(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Helm 4.2.4 says it.
    #[test]
    fn what_is_no_metadata_is_named_by_its_type() {
        let said = Head::parse("kind: X\nmetadata: x\n").unwrap_err();
        assert!(
            said.ends_with(
                r#"json: cannot unmarshal string into Go struct field SimpleHead.metadata of type struct { Name string "json:\"name\""; Annotations map[string]string "json:\"annotations\"" } (line 2)"#
            ),
            "{said}"
        );
    }

    /// As Helm 4.2.4 sorts them.
    #[test]
    fn of_several_spellings_the_last_one_in_the_order_of_json_counts() {
        for (text, kind) in [
            ("kind: RoleBinding\nKIND: ConfigMap\n", "RoleBinding"),
            ("KIND: ConfigMap\nkind: RoleBinding\n", "RoleBinding"),
            ("kind: ~\nKind: ConfigMap\n", "ConfigMap"),
            ("Kind: ConfigMap\nkind: ~\n", "ConfigMap"),
            ("kind: ConfigMap\nkind: ~\n", ""),
            ("kind: ~\nkind: ConfigMap\n", "ConfigMap"),
            ("KIND: A\nkind: B\nkind: ~\n", "A"),
        ] {
            assert_eq!(Head::parse(text).unwrap().kind, kind, "{text}");
        }
    }
}
