//! Where an object's artifacts are.

use std::fmt;

/// The kind, namespace and name of the object whose artifacts these are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    kind: String,
    namespace: String,
    name: String,
}

impl Location {
    /// A location; the kind is put into lower case, as in Flux's paths.
    ///
    /// # Errors
    /// When a part is no Kubernetes name: each becomes a folder.
    pub fn new(kind: &str, namespace: &str, name: &str) -> Result<Self, InvalidLocation> {
        let kind = kind.to_ascii_lowercase();
        for part in [kind.as_str(), namespace, name] {
            let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
            let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
            if part.len() > 253 || !part.chars().all(fine) || !part.starts_with(edge) || !part.ends_with(edge)
            {
                return Err(InvalidLocation(part.chars().take(100).collect()));
            }
        }
        Ok(Self {
            kind,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        })
    }

    /// The folder below the store's root.
    pub fn folder(&self) -> String {
        format!("{}/{}/{}", self.kind, self.namespace, self.name)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.kind, self.namespace, self.name)
    }
}

/// A file's name: one component, not hidden, nothing but plain characters.
pub(super) fn check_file(name: &str) -> Result<(), InvalidLocation> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':' | '+');
    if name.is_empty() || name.len() > 255 || name.starts_with('.') || !name.chars().all(fine) {
        return Err(InvalidLocation(name.chars().take(100).collect()));
    }
    Ok(())
}

/// A path below the root: components that could each be a file's name.
pub(crate) fn check_path(path: &str) -> Result<(), InvalidLocation> {
    path.split('/').try_for_each(check_file)
}

/// A name that cannot be part of a path in the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} cannot be part of a path in the store")]
pub struct InvalidLocation(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n01_no_part_of_a_path_leads_elsewhere() {
        assert_eq!(
            Location::new("OCIRepository", "flux-system", "a.b")
                .unwrap()
                .folder(),
            "ocirepository/flux-system/a.b"
        );
        for part in ["", ".", "..", "a/b", "A b", ".a", "a.", "a\0", "-a"] {
            assert!(Location::new("kind", "ns", part).is_err(), "{part:?}");
        }
        for name in ["", ".", "..", ".tmp-1", "a/b", "a\\b", "a b"] {
            assert!(check_file(name).is_err(), "{name:?}");
        }
        assert!(check_file("sha256:00.tar.gz").is_ok());
        for path in ["", "/a", "a//b", "a/../b", "a/.tmp-1"] {
            assert!(check_path(path).is_err(), "{path:?}");
        }
    }
}
