//! Packing: the same content gives the same bytes, and they are Flux's.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use weir_oci::Digest;
use weir_store::archive::{self, Form, Links, PackError, pack_path, pack_path_to, pack_tree};
use weir_store::extract::{self, Symlinks};
use weir_store::ignore::IgnoreRules;
use weir_store::{Limits, Tree};

use crate::support::tree;

fn untar(bytes: &[u8]) -> Vec<u8> {
    let mut tar = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut tar).unwrap();
    tar
}

/// Name, mode, size and type of each entry, as another reader sees them.
fn entries(bytes: &[u8]) -> Vec<(String, u32, u64, u8)> {
    let tar = untar(bytes);
    let mut archive = tar::Archive::new(&tar[..]);
    archive
        .entries()
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!(
                (
                    header.uid().unwrap(),
                    header.gid().unwrap(),
                    header.mtime().unwrap()
                ),
                (0, 0, 0)
            );
            let name = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
            (
                name,
                header.mode().unwrap(),
                entry.size(),
                header.entry_type().as_byte(),
            )
        })
        .collect()
}

fn write(root: &Path, path: &str, content: &str, mode: u32) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A folder with all that matters: order, modes, links, long and foreign names, an empty folder.
fn sample() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "a-b.yaml", "1", 0o640);
    write(root, "a/z.sh", "#!/bin/sh\n", 0o755);
    write(root, "a/b/c.yaml", "kind: X\n", 0o600);
    write(root, "ä.txt", "umlaut", 0o644);
    write(
        root,
        &format!("{}/{}", "long".repeat(20), "name".repeat(24)),
        "split",
        0o644,
    );
    write(root, &"x".repeat(120), "pax", 0o644);
    write(root, "image.png", "png", 0o644);
    fs::create_dir(root.join("empty")).unwrap();
    symlink("/etc/passwd", root.join("link")).unwrap();
    symlink("a", root.join("folder-link")).unwrap();
    for (path, mode) in [("", 0o755), ("a", 0o755), ("a/b", 0o700), ("empty", 0o775)] {
        fs::set_permissions(root.join(path), fs::Permissions::from_mode(mode)).unwrap();
    }
    let long = "long".repeat(20);
    fs::set_permissions(root.join(long), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

#[test]
fn entries_are_in_the_order_and_with_the_modes_of_flux_push() {
    let folder = sample();
    let packed = pack_path(folder.path(), &IgnoreRules::for_push(""), Links::Skip, Form::Push).unwrap();
    let long = "long".repeat(20);
    let expected = [
        (".", 0o755, 0, b'5'),
        ("a", 0o755, 0, b'5'),
        ("a/b", 0o700, 0, b'5'),
        ("a/b/c.yaml", 0o600, 8, b'0'),
        ("a/z.sh", 0o755, 10, b'0'),
        ("a-b.yaml", 0o640, 1, b'0'),
        ("empty", 0o775, 0, b'5'),
        (&long, 0o755, 0, b'5'),
        (&format!("{long}/{}", "name".repeat(24)), 0o644, 5, b'0'),
        (&"x".repeat(120), 0o644, 3, b'0'),
        ("ä.txt", 0o644, 6, b'0'),
    ];
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(name, mode, size, kind)| (name.to_owned(), mode, size, kind))
        .collect();
    assert_eq!(entries(&packed.bytes), expected);
}

#[test]
fn the_source_form_reduces_modes() {
    let folder = sample();
    let packed = pack_path(folder.path(), &IgnoreRules::none(), Links::Skip, Form::Source).unwrap();
    for (name, mode, _, kind) in entries(&packed.bytes) {
        let expected = match (kind, &*name) {
            (b'5', _) => 0o750,
            (_, "a/z.sh") => 0o700,
            _ => 0o600,
        };
        assert_eq!(mode, expected, "{name}");
    }
}

#[test]
fn the_tar_is_the_one_that_go_writes() {
    // The digests come from Go 1.26's archive/tar, driven as fluxcd/pkg/tar 1.4.0 drives it, over the same
    // folder.
    let folder = sample();
    for (form, expected) in [
        (
            Form::Push,
            "7390912a7bc490006b1ab02ad108f34cdf70bcd50e87f40ede30313a83975948",
        ),
        (
            Form::Source,
            "71932d4ad7034a54480a712cc7e4ee6e8ad3f2e080a3771af143dc7e46e9a80c",
        ),
    ] {
        let packed = pack_path(folder.path(), &IgnoreRules::none(), Links::Skip, form).unwrap();
        assert_eq!(packed.diff_id().hex(), expected, "{form:?}");
    }
}

#[test]
fn the_gzip_header_says_nothing_about_the_machine() {
    let packed = pack_tree(&tree(&[("a", "b")]), Form::Push).unwrap();
    assert_eq!(
        packed.bytes.get(..10).unwrap(),
        [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
    );
}

#[test]
fn a_tree_and_the_same_folder_give_the_same_bytes() {
    let folder = sample();
    let packed = pack_path(folder.path(), &IgnoreRules::none(), Links::Skip, Form::Source).unwrap();
    let tree = extract::tree(&packed.bytes[..], &Limits::default(), Symlinks::Refuse).unwrap();
    let again = pack_tree(&tree, Form::Source).unwrap();
    assert_eq!(again.bytes, packed.bytes);
    assert!(tree.is_folder("empty") && !tree.is_folder("folder-link"));
    assert!(tree.get("a/z.sh").unwrap().executable && !tree.get("a-b.yaml").unwrap().executable);
}

#[test]
fn packing_into_a_writer_gives_the_same_summary() {
    let folder = sample();
    let rules = IgnoreRules::none();
    let packed = pack_path(folder.path(), &rules, Links::Skip, Form::Push).unwrap();
    let mut out = Vec::new();
    let summary = pack_path_to(folder.path(), &rules, Links::Skip, Form::Push, &mut out).unwrap();
    assert_eq!((summary, &out[..]), (packed.summary, &packed.bytes[..]));
    assert_eq!(
        (summary.digest, summary.size),
        (Digest::of(&out), out.len() as u64)
    );
    assert_eq!(summary.diff_id, Digest::of(&untar(&out)));
    assert_eq!(archive::diff_id(&out[..], 1 << 20).unwrap(), summary.diff_id);
    assert!(archive::diff_id(&out[..], 100).is_err());
}

#[test]
fn links_are_left_out_or_packed_as_what_they_lead_to() {
    use std::os::unix::fs::symlink;
    let elsewhere = tempfile::tempdir().unwrap();
    write(elsewhere.path(), "shared/a.yaml", "a", 0o644);
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "own.yaml", "own", 0o644);
    symlink(elsewhere.path().join("shared"), folder.path().join("base")).unwrap();
    symlink("own.yaml", folder.path().join("same.yaml")).unwrap();
    let names = |links| {
        let packed = pack_path(folder.path(), &IgnoreRules::none(), links, Form::Push).unwrap();
        let names = entries(&packed.bytes)
            .into_iter()
            .map(|(name, _, _, kind)| (name, kind));
        names.collect::<Vec<_>>()
    };
    let file = |name: &str| (name.to_owned(), b'0');
    let here = (".".to_owned(), b'5');
    assert_eq!(names(Links::Skip), [here.clone(), file("own.yaml")]);
    assert_eq!(
        names(Links::Follow),
        [
            here,
            ("base".to_owned(), b'5'),
            file("base/a.yaml"),
            file("own.yaml"),
            file("same.yaml")
        ]
    );

    symlink(folder.path(), folder.path().join("round")).unwrap();
    let round = pack_path(folder.path(), &IgnoreRules::none(), Links::Follow, Form::Push);
    assert!(matches!(round, Err(PackError::Loop(path)) if path.ends_with("round")));
    fs::remove_file(folder.path().join("round")).unwrap();
    symlink("nowhere", folder.path().join("broken")).unwrap();
    let broken = pack_path(folder.path(), &IgnoreRules::none(), Links::Follow, Form::Push);
    assert!(matches!(broken, Err(PackError::Read { path, .. }) if path.ends_with("broken")));
}

#[test]
fn a_single_file_is_a_folder_with_that_file() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "only.yaml", "x", 0o644);
    let packed = pack_path(
        &folder.path().join("only.yaml"),
        &IgnoreRules::for_push(""),
        Links::Skip,
        Form::Push,
    )
    .unwrap();
    let expected = [
        (".".to_owned(), 0o700, 0, b'5'),
        ("only.yaml".to_owned(), 0o644, 1, b'0'),
    ];
    assert_eq!(entries(&packed.bytes), expected);
    let missing = pack_path(
        &folder.path().join("missing"),
        &IgnoreRules::none(),
        Links::Skip,
        Form::Push,
    );
    assert!(matches!(missing, Err(PackError::Read { .. })));
}

#[test]
fn other_compressors_are_compared_by_the_tar_inside() {
    let tree = tree(&[("a", "content")]);
    let packed = pack_tree(&tree, Form::Push).unwrap();
    let mut other = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut other, &untar(&packed.bytes)).unwrap();
    let other = other.finish().unwrap();
    assert_ne!(Digest::of(&other), packed.digest());
    assert_eq!(archive::diff_id(&other[..], 1 << 20).unwrap(), packed.diff_id());
}

#[test]
fn a_filtered_tree_keeps_what_a_pattern_takes_back() {
    let tree = tree(&[("docs/a.md", ""), ("docs/keep.md", ""), ("b.yaml", "")]);
    let rules = IgnoreRules::parse("docs/\n!docs/keep.md\n");
    let kept: Tree = tree.filtered(|path, is_folder| rules.excludes(path, is_folder));
    assert_eq!(
        kept.files().map(|(path, _)| path).collect::<Vec<_>>(),
        ["b.yaml", "docs/keep.md"]
    );
    assert!(!kept.is_folder("docs"));
}
