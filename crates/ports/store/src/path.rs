//! Paths inside archives: relative, plain, and the same on every system (security case N01).

use crate::limits::Limits;

/// The clean form of an entry's name: components joined by `/`, empty for the root itself.
///
/// A leading `./` and a folder's trailing slash are common and harmless; everything else that would have to be
/// cleaned away is refused, because programs differ in how they clean.
pub(crate) fn clean(name: &str, is_folder: bool, limits: &Limits) -> Result<String, InvalidPath> {
    let invalid = |why| {
        Err(InvalidPath {
            path: name.chars().take(200).collect(),
            why,
        })
    };
    if name.len() > limits.path_bytes {
        return invalid("is too long");
    }
    if name.contains('\0') {
        return invalid("holds a NUL");
    }
    if name.contains('\\') {
        return invalid("holds a backslash");
    }
    if name.starts_with('/') {
        return invalid("is absolute");
    }
    let mut bare = name;
    if is_folder {
        bare = bare.strip_suffix('/').unwrap_or(bare);
    }
    while let Some(rest) = bare.strip_prefix("./") {
        bare = rest;
    }
    if bare.is_empty() || bare == "." {
        return if is_folder {
            Ok(String::new())
        } else {
            invalid("is empty")
        };
    }
    let mut depth = 0;
    for component in bare.split('/') {
        depth += 1;
        if component.is_empty() {
            return invalid("has an empty component");
        }
        if component == ".." {
            return invalid("leads to a parent folder");
        }
        if component.ends_with('.') {
            // Windows drops the dot, so that two names are one file there.
            return invalid("has a component that ends in a dot");
        }
        if depth == 1 && component.as_bytes().get(1) == Some(&b':') {
            return invalid("starts with a drive");
        }
    }
    if depth > limits.depth {
        return invalid("is nested too deeply");
    }
    Ok(bare.to_owned())
}

/// A path that must not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the path {path:?} {why}")]
pub struct InvalidPath {
    path: String,
    why: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n01_rejects_parent_paths_and_every_other_way_out() {
        let limits = Limits::default();
        for name in [
            "",
            "/",
            "/etc/passwd",
            "..",
            "../x",
            "a/../b",
            "a/..",
            "./../x",
            "a//b",
            "a/./b",
            "C:/x",
            "c:x",
            "a\\b",
            "..\\x",
            "a\0b",
            "a.",
            "a./b",
            "...",
            "a/",
            ".",
            "./",
            ".//etc",
        ] {
            assert!(clean(name, false, &limits).is_err(), "{name:?}");
        }
        for (name, expected) in [
            ("a", "a"),
            ("./a/b", "a/b"),
            (".git", ".git"),
            ("a..b/c", "a..b/c"),
            ("ab:c", "ab:c"),
        ] {
            assert_eq!(clean(name, false, &limits).as_deref(), Ok(expected), "{name:?}");
        }
        for (name, expected) in [(".", ""), ("./", ""), ("a/", "a"), ("a", "a")] {
            assert_eq!(clean(name, true, &limits).as_deref(), Ok(expected), "{name:?}");
        }
    }

    #[test]
    fn n06_depth_and_length_have_limits() {
        let limits = Limits {
            depth: 3,
            path_bytes: 10,
            ..Limits::default()
        };
        assert!(clean("a/b/c", false, &limits).is_ok());
        assert!(clean("a/b/c/d", false, &limits).is_err());
        assert!(clean("0123456789", false, &limits).is_ok());
        assert!(clean("01234567890", false, &limits).is_err());
    }
}
