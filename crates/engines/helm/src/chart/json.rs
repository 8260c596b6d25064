//! Documents that have no JSON.
//!
//! Helm reads YAML by way of JSON (sigs.k8s.io/yaml), the whole document for the sake of a few fields, so that `.inf`, a
//! null for a key or a text that is no `!!int` anywhere in it are errors. Where a field is a text in Go, `.inf` becomes
//! one: what is read into decides what may be there.

use weir_yaml::{
    ConvertError, Data, Dialect, Node, key_to_string, refuse_entries, refuse_unreadable, refuse_without_json,
};

/// What Go reads a value into, as far as that matters for its JSON.
#[derive(Debug)]
pub(crate) enum Type {
    /// `string`
    Text,
    /// `map[string]string`
    Texts,
    /// A slice.
    List(&'static Self),
    /// A struct: its fields, whose names match whatever their case. What it has no field for may be anything.
    Fields(&'static [(&'static str, Self)]),
}

/// What lint asks of a manifest: `rules.k8sYamlStruct`.
pub(crate) const LINTED: Type = Type::Fields(&[
    ("apiVersion", Type::Text),
    ("Kind", Type::Text),
    (
        "Metadata",
        Type::Fields(&[("Namespace", Type::Text), ("Name", Type::Text)]),
    ),
]);

/// The head of a manifest: `util.SimpleHead`.
pub(crate) const HEAD: Type = Type::Fields(&[
    ("apiVersion", Type::Text),
    ("kind", Type::Text),
    (
        "metadata",
        Type::Fields(&[("name", Type::Text), ("annotations", Type::Texts)]),
    ),
]);

/// What tells charts of one API version from another, before they are read.
pub(crate) const API_VERSION: Type = Type::Fields(&[("apiVersion", Type::Text)]);

/// Chart.yaml: `v2.Metadata`.
pub(crate) const METADATA: Type = Type::Fields(&[
    ("name", Type::Text),
    ("home", Type::Text),
    ("sources", Type::List(&Type::Text)),
    ("version", Type::Text),
    ("description", Type::Text),
    ("keywords", Type::List(&Type::Text)),
    (
        "maintainers",
        Type::List(&Type::Fields(&[
            ("name", Type::Text),
            ("email", Type::Text),
            ("url", Type::Text),
        ])),
    ),
    ("icon", Type::Text),
    ("apiVersion", Type::Text),
    ("condition", Type::Text),
    ("tags", Type::Text),
    ("appVersion", Type::Text),
    ("annotations", Type::Texts),
    ("kubeVersion", Type::Text),
    ("dependencies", DEPENDENCIES),
    ("type", Type::Text),
]);

/// Chart.lock: `v2.Lock`.
pub(crate) const LOCK: Type = Type::Fields(&[("digest", Type::Text), ("dependencies", DEPENDENCIES)]);

const DEPENDENCIES: Type = Type::List(&Type::Fields(&[
    ("name", Type::Text),
    ("version", Type::Text),
    ("repository", Type::Text),
    ("condition", Type::Text),
    ("tags", Type::List(&Type::Text)),
    ("alias", Type::Text),
]));

impl Type {
    /// Refuses a document without aliases that has no JSON on its way into this.
    pub(crate) fn check(&self, root: &Node) -> Result<(), String> {
        self.takes(root)
            .map_err(|error| format!("error converting YAML to JSON: {error}"))
    }

    fn takes(&self, node: &Node) -> Result<(), ConvertError> {
        match (self, node.data()) {
            (Self::Text, Data::Scalar(_)) => refuse_unreadable(node, Dialect::Sigs),
            (Self::List(inner), Data::Sequence(items)) => items.iter().try_for_each(|item| inner.takes(item)),
            (Self::Texts, Data::Mapping(entries)) => {
                refuse_entries(entries, Dialect::Sigs, |_, value| Self::Text.takes(value))
            }
            (Self::Fields(fields), Data::Mapping(entries)) => {
                refuse_entries(entries, Dialect::Sigs, |key, value| {
                    let name = key_to_string(key, Dialect::Sigs)?;
                    let field = fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(&name));
                    match field {
                        Some((_, field)) => field.takes(value),
                        None => refuse_without_json(value, Dialect::Sigs),
                    }
                })
            }
            _ => refuse_without_json(node, Dialect::Sigs),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::chart::Metadata;
    use crate::manifest::Head;

    /// As Helm 4.2.4 says of manifests.
    #[test]
    fn a_manifest_without_json_is_refused() {
        for (text, said) in [
            ("kind: A\nspec: {a: {x: .nan}}\n", "json: unsupported value: NaN"),
            ("kind: A\nspec: [{x: -.inf}]\n", "json: unsupported value: -Inf"),
            ("kind: A\nspec: {a: {x: !!int foo}}\n", "!!int"),
            ("kind: !!int foo\n", "!!int"),
            ("kind: A\nspec: {~: 1}\n", "unsupported map key"),
            (
                "kind: A\nspec: {18446744073709551615: 1}\n",
                "unsupported map key",
            ),
            ("kind: A\nspec: {x: !!binary '%'}\n", "!!binary"),
            ("metadata: {other: .inf}\n", "json: unsupported value: +Inf"),
        ] {
            let error = Head::parse(text).unwrap_err();
            assert!(
                error.starts_with("error converting YAML to JSON: "),
                "{text}: {error}"
            );
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn what_becomes_a_text_has_json() {
        let head = Head::parse("Kind: .inf\nmetadata: {name: -.inf, annotations: {a: .nan}}\n").unwrap();
        assert_eq!(
            (&*head.kind, &*head.name, &*head.annotations["a"]),
            ("+Inf", "-Inf", "NaN")
        );
        // A later one of the same key takes its place.
        assert!(Head::parse("kind: A\nspec: {x: .nan, x: 1}\n").is_ok());
        assert!(Head::parse("kind: A\nspec: .nan\nspec: 1\n").is_ok());
        assert!(Head::parse("kind: A\nspec: {x: !!int foo, x: 1}\n").is_err());
    }

    #[test]
    fn a_definition_without_json_is_refused() {
        for text in [
            "name: a\nfoo: .inf\n",
            "name: a\nfoo: {~: 1}\n",
            "maintainers: [{foo: .inf}]\n",
        ] {
            assert!(Metadata::parse(text).is_err(), "{text}");
        }
        assert!(Metadata::parse("name: .inf\nsources: [.nan]\n").is_ok());
    }
}
