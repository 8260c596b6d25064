//! Archives that must not be unpacked, or not as they ask.

use std::os::unix::fs::PermissionsExt as _;

use tar::EntryType;
use weir_store::extract::{self, ExtractError, Layer, Symlinks};
use weir_store::{Limits, Tree};

use crate::support::{Raw, file, folder, gzip, link, listing, raw, tarball};

fn read(entries: impl IntoIterator<Item = Raw>) -> Result<Tree, ExtractError> {
    extract::tree(&tarball(entries)[..], &Limits::default(), Symlinks::Drop)
}

/// Unpacks onto a disk too, and looks that nothing appears beside the folder.
fn both(entries: impl Fn() -> Vec<Raw>) -> (Result<Tree, ExtractError>, Result<(), ExtractError>) {
    let outside = tempfile::tempdir().unwrap();
    let root = outside.path().join("root");
    let archive = tarball(entries());
    let disk = extract::to_folder(&archive[..], &root, &Limits::default(), Symlinks::Drop);
    let beside: Vec<_> = std::fs::read_dir(outside.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(beside, ["root"]);
    (read(entries()), disk)
}

#[test]
fn n01_rejects_names_that_lead_out() {
    for name in [
        "../x",
        "a/../../x",
        "/etc/x",
        "C:/x",
        "a\\..\\x",
        "..",
        "a/..",
        "a//b",
        "x.",
    ] {
        let (memory, disk) = both(|| vec![file("good", b""), file(name, b"x")]);
        assert!(matches!(memory, Err(ExtractError::Path(_))), "{name}: {memory:?}");
        assert!(matches!(disk, Err(ExtractError::Path(_))), "{name}: {disk:?}");
    }
    // Folders and dropped links count too.
    assert!(read([folder("../x")]).is_err());
    assert!(read([link("../x", EntryType::Symlink, "y")]).is_err());
}

#[test]
fn n02_a_link_leads_nowhere() {
    let entries = || {
        vec![
            link("out", EntryType::Symlink, "/etc"),
            file("out/passwd", b"mine"),
            link("loop", EntryType::Symlink, "loop"),
        ]
    };
    let (memory, disk) = both(entries);
    assert_eq!(
        listing(&memory.unwrap()),
        [("out/passwd".to_owned(), "mine".to_owned())]
    );
    disk.unwrap();
    let strict = extract::tree(&tarball(entries())[..], &Limits::default(), Symlinks::Refuse);
    assert!(matches!(strict, Err(ExtractError::Refused { .. })));
}

#[test]
fn n03_hard_links_are_refused() {
    for to in ["/etc/passwd", "good"] {
        let (memory, disk) = both(|| vec![file("good", b""), link("x", EntryType::Link, to)]);
        assert!(matches!(memory, Err(ExtractError::Refused { .. })));
        assert!(matches!(disk, Err(ExtractError::Refused { .. })));
    }
}

#[test]
fn n04_a_link_and_a_folder_of_one_name_change_nothing_outside() {
    let outside = tempfile::tempdir().unwrap();
    let victim = outside.path().join("victim");
    std::fs::create_dir(&victim).unwrap();
    std::fs::set_permissions(&victim, std::fs::Permissions::from_mode(0o700)).unwrap();
    let archive = tarball([
        link("x", EntryType::Symlink, victim.to_str().unwrap()),
        folder("x").mode(0o777),
        file("x/y", b""),
    ]);
    let root = outside.path().join("root");
    extract::to_folder(&archive[..], &root, &Limits::default(), Symlinks::Drop).unwrap();
    assert_eq!(
        std::fs::metadata(&victim).unwrap().permissions().mode() & 0o777,
        0o700
    );
    assert_eq!(std::fs::read_dir(&victim).unwrap().count(), 0);
}

#[test]
fn n05_extended_headers_are_read_as_go_reads_them_or_refused() {
    let extended = |records: &str| Raw::from_records(records);
    let path = "14 path=other\n";
    assert_eq!(
        listing(&read([extended(path), file("a", b"1")]).unwrap()),
        [("other".to_owned(), "1".to_owned())]
    );
    // The size of the extended header counts, so what follows is content and no entry.
    let hidden = tarball([file("hidden", b"")]);
    let archive = tarball([extended("13 size=1024\n"), Raw::sized("a", 0, &hidden[..1024])]);
    let seen = extract::tree(&archive[..], &Limits::default(), Symlinks::Drop).unwrap();
    assert_eq!(
        seen.files()
            .map(|(path, entry)| (path, entry.bytes.len()))
            .collect::<Vec<_>>(),
        [("a", 1024)]
    );
    for records in [
        "14 path=../xy\n",
        "99 path=other\n",
        "14 path=other",
        "10 size=-1\n",
        "26 GNU.sparse.major=1.0.0\n",
        "14 path=other\n14 path=again\n",
    ] {
        assert!(read([extended(records), file("a", b"1")]).is_err(), "{records:?}");
    }
    assert!(
        read([extended(path)]).is_err(),
        "an extended header without an entry"
    );
    assert!(
        read([extended(path), extended(path), file("a", b"")]).is_err(),
        "two of them"
    );
    assert!(
        read([
            extended(path),
            raw("long", EntryType::GNULongName),
            file("a", b"")
        ])
        .is_err(),
        "two kinds"
    );
    assert!(read([raw("x", EntryType::GNUSparse)]).is_err());
    assert!(read([raw("x", EntryType::Continuous)]).is_err());
    // Archives of `git archive` start with a remark about the commit.
    let remark = Raw::of_kind("pax_global_header", EntryType::XGlobalHeader, b"13 comment=a\n");
    assert_eq!(read([remark, file("a", b"")]).unwrap().len(), 1);
    let moving = Raw::of_kind("pax_global_header", EntryType::XGlobalHeader, path.as_bytes());
    assert!(read([moving, file("a", b"")]).is_err());
}

#[test]
fn n05_cut_and_changed_archives_are_refused() {
    let whole = tarball([file("a", &[7; 700]), file("b", b"")]);
    for length in [1, 511, 512, 1000, 1535, 1537] {
        let part = whole.get(..length).unwrap();
        assert!(
            extract::tree(part, &Limits::default(), Symlinks::Drop).is_err(),
            "{length}"
        );
    }
    for at in [0, 100, 124, 148, 156, 257] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        assert!(
            extract::tree(&changed[..], &Limits::default(), Symlinks::Drop).is_err(),
            "{at}"
        );
    }
    let compressed = gzip(&whole);
    let part = compressed.get(..compressed.len() / 2).unwrap();
    assert!(extract::tree(part, &Limits::default(), Symlinks::Drop).is_err());
    assert!(
        extract::tree(&b""[..], &Limits::default(), Symlinks::Drop)
            .unwrap()
            .is_empty(),
        "as in Go"
    );
}

#[test]
fn n06_each_limit_holds_and_is_not_off_by_one() {
    let archive = gzip(&tarball([file("a", &[0; 600]), file("b", &[0; 400])]));
    let check = |limits: Limits| extract::tree(&archive[..], &limits, Symlinks::Drop);
    let base = Limits::default();
    for (at, past) in [
        (
            Limits {
                bytes: 1000,
                ..base.clone()
            },
            Limits {
                bytes: 999,
                ..base.clone()
            },
        ),
        (
            Limits {
                file_bytes: 600,
                ..base.clone()
            },
            Limits {
                file_bytes: 599,
                ..base.clone()
            },
        ),
        (
            Limits {
                entries: 2,
                ..base.clone()
            },
            Limits {
                entries: 1,
                ..base.clone()
            },
        ),
    ] {
        check(at.clone()).unwrap_or_else(|err| panic!("{at:?}: {err}"));
        assert!(
            matches!(check(past.clone()), Err(ExtractError::Limit(_))),
            "{past:?}"
        );
    }
}

#[test]
fn n06_a_bomb_is_stopped_while_it_unfolds() {
    let archive = tarball([file("zeros", &vec![0; 4 << 20])]);
    let limits = Limits {
        ratio_from: 1 << 20,
        ..Limits::default()
    };
    let zstd = zstd::stream::encode_all(&archive[..], 3).unwrap();
    for bomb in [gzip(&archive), zstd] {
        assert!(bomb.len() < 1 << 13);
        let outcome = extract::tree(&bomb[..], &limits, Symlinks::Drop);
        assert!(
            matches!(outcome, Err(ExtractError::Limit(limit)) if limit.what.contains("compressed")),
            "{outcome:?}"
        );
        let generous = Limits {
            ratio: 1_000_000,
            ..Limits::default()
        };
        assert_eq!(
            extract::tree(&bomb[..], &generous, Symlinks::Drop).unwrap().len(),
            1
        );
        let small = Limits {
            bytes: 1 << 20,
            ..generous
        };
        assert!(extract::tree(&bomb[..], &small, Symlinks::Drop).is_err());
    }
}

#[test]
fn n09_duplicates_devices_and_modes() {
    for entries in [
        || vec![file("a", b"1"), file("a", b"2")],
        || vec![file("a", b"1"), file("./a", b"2")],
        || vec![file("a", b"1"), folder("a")],
        || vec![file("a/b", b"1"), file("a", b"2")],
        || vec![file("a", b"1"), file("a/b", b"2")],
    ] {
        let (memory, disk) = both(entries);
        assert!(matches!(memory, Err(ExtractError::Duplicate(_))), "{memory:?}");
        assert!(matches!(disk, Err(ExtractError::Duplicate(_))), "{disk:?}");
    }
    let (memory, disk) = both(|| vec![folder("a"), folder("a/"), file("a/b", b"")]);
    memory.unwrap();
    disk.unwrap();
    for kind in [EntryType::Char, EntryType::Block, EntryType::Fifo] {
        assert!(matches!(
            read([raw("x", kind)]),
            Err(ExtractError::Refused { .. })
        ));
    }
    let outside = tempfile::tempdir().unwrap();
    let archive = tarball([file("setuid", b"").mode(0o6777), file("plain", b"").mode(0o7600)]);
    extract::to_folder(
        &archive[..],
        &outside.path().join("root"),
        &Limits::default(),
        Symlinks::Drop,
    )
    .unwrap();
    let mode = |name: &str| {
        std::fs::metadata(outside.path().join("root").join(name))
            .unwrap()
            .permissions()
            .mode()
    };
    assert_eq!(mode("setuid") & 0o7000, 0);
    assert_eq!(mode("plain") & 0o7111, 0);
}

#[test]
fn an_archive_goes_into_an_empty_folder_only() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("mine"), "x").unwrap();
    let archive = tarball([file("a", b"")]);
    assert!(extract::to_folder(&archive[..], outside.path(), &Limits::default(), Symlinks::Drop).is_err());
}

#[test]
fn layers_are_told_apart_by_their_first_bytes() {
    let limits = Limits::default();
    let tar = tarball([file("a", b"1")]);
    for archive in [gzip(&tar), zstd::stream::encode_all(&tar[..], 3).unwrap()] {
        let layer = extract::layer(&archive.into(), &limits, Symlinks::Drop).unwrap();
        assert!(matches!(layer, Layer::Tree(tree) if tree.len() == 1));
    }
    let layer = extract::layer(&bytes::Bytes::from_static(b"kind: X\n"), &limits, Symlinks::Drop).unwrap();
    assert!(matches!(layer, Layer::File(content) if content == "kind: X\n"));
}
