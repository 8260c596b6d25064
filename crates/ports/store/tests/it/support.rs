//! Archives made by hand, the hostile ones too.

use std::io::Write as _;
use std::path::PathBuf;

use tar::{Builder, EntryType, Header};
use weir_store::Tree;

/// An entry of an archive under construction.
pub(crate) struct Raw {
    name: Vec<u8>,
    kind: EntryType,
    mode: u32,
    content: Vec<u8>,
    link: Option<String>,
    /// What the header says, when that is not the content's length.
    size: Option<u64>,
}

pub(crate) fn raw(name: &str, kind: EntryType) -> Raw {
    Raw {
        name: name.into(),
        kind,
        mode: 0o644,
        content: Vec::new(),
        link: None,
        size: None,
    }
}

pub(crate) fn file(name: &str, content: &[u8]) -> Raw {
    Raw {
        content: content.to_vec(),
        ..raw(name, EntryType::Regular)
    }
}

pub(crate) fn folder(name: &str) -> Raw {
    Raw {
        mode: 0o755,
        ..raw(name, EntryType::Directory)
    }
}

pub(crate) fn link(name: &str, kind: EntryType, to: &str) -> Raw {
    Raw {
        link: Some(to.to_owned()),
        ..raw(name, kind)
    }
}

impl Raw {
    pub(crate) fn mode(self, mode: u32) -> Self {
        Self { mode, ..self }
    }
}

/// A tar archive with exactly these entries: names are put into the header's bytes without being looked at.
pub(crate) fn tarball(entries: impl IntoIterator<Item = Raw>) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for entry in entries {
        let mut header = Header::new_ustar();
        let name = header.as_ustar_mut().unwrap();
        name.name
            .get_mut(..entry.name.len())
            .unwrap()
            .copy_from_slice(&entry.name);
        header.set_entry_type(entry.kind);
        header.set_mode(entry.mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(entry.size.unwrap_or(entry.content.len() as u64));
        if let Some(link) = entry.link {
            header.set_link_name_literal(link).unwrap();
        }
        header.set_cksum();
        builder.append(&header, &entry.content[..]).unwrap();
    }
    builder.into_inner().unwrap()
}

pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// The paths of a tree with their contents.
pub(crate) fn listing(tree: &Tree) -> Vec<(String, String)> {
    tree.files()
        .map(|(path, entry)| {
            (
                path.to_owned(),
                String::from_utf8_lossy(&entry.bytes).into_owned(),
            )
        })
        .collect()
}

pub(crate) fn tree(files: &[(&str, &str)]) -> Tree {
    let mut tree = Tree::default();
    for (path, content) in files {
        tree.insert(path, content.to_string()).unwrap();
    }
    tree
}

/// Where the conformance data is, when it is there.
pub(crate) fn conformance(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("WEIR_CONFORMANCE").map_or_else(
        || {
            PathBuf::from(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../../../shared/conformance"
            ))
        },
        PathBuf::from,
    );
    let file = root.join(path);
    if !file.exists() {
        println!("not run: {path}, because the conformance data is not there");
        return None;
    }
    Some(file)
}

impl Raw {
    pub(crate) fn of_kind(name: &str, kind: EntryType, content: &[u8]) -> Self {
        Self {
            content: content.to_vec(),
            ..raw(name, kind)
        }
    }

    /// A file whose header gives another size than its content has.
    pub(crate) fn sized(name: &str, size: u64, content: &[u8]) -> Self {
        Self {
            size: Some(size),
            ..file(name, content)
        }
    }

    /// An extended header.
    pub(crate) fn from_records(records: &str) -> Self {
        Self::of_kind("PaxHeaders.0/x", EntryType::XHeader, records.as_bytes())
    }
}
