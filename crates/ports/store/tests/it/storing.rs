//! The store on a disk.

use std::fs;
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use weir_oci::Digest;
use weir_store::{Location, Retention, Store, StoreError, Stored};
use weir_verify::Admitted;

fn admitted(content: &str) -> Admitted<Bytes> {
    Admitted::without_policy(Bytes::from(content.to_owned()))
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_700_000_000 + seconds)
}

fn location() -> Location {
    Location::new("OCIRepository", "flux-system", "apps").unwrap()
}

fn open() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("store")).unwrap();
    (folder, store)
}

fn put(store: &Store, file: &str, content: &str, now: i64) -> Stored {
    store
        .put(
            &location(),
            file,
            Some("latest.tar.gz"),
            &admitted(content),
            at(now),
        )
        .unwrap()
}

#[test]
fn what_is_stored_is_read_and_linked() {
    let (_folder, store) = open();
    let stored = put(&store, "sha256:aa.tar.gz", "one", 0);
    assert_eq!(stored.path, "ocirepository/flux-system/apps/sha256:aa.tar.gz");
    assert_eq!((stored.digest, stored.size), (Digest::of(b"one"), 3));
    assert_eq!(store.read(&stored).unwrap(), "one");
    store.verify(&stored).unwrap();
    let second = put(&store, "sha256:bb.tar.gz", "two", 1);
    let latest = store.root().join("ocirepository/flux-system/apps/latest.tar.gz");
    assert_eq!(fs::read_to_string(latest).unwrap(), "two");
    assert_eq!(store.read(&second).unwrap(), "two");
    // Storing again under the same name replaces the file at once.
    let again = put(&store, "sha256:bb.tar.gz", "three", 2);
    assert_eq!(store.read(&again).unwrap(), "three");
    assert!(matches!(store.read(&second), Err(StoreError::Changed(_))));
}

#[test]
fn tampered_files_are_noticed_and_not_served_any_longer() {
    let (_folder, store) = open();
    for change in ["twofold", "tw", "tow", ""] {
        let stored = put(&store, "a.tar.gz", "two", 0);
        let path = store.root().join(&stored.path);
        fs::write(&path, change).unwrap();
        assert!(
            matches!(store.read(&stored), Err(StoreError::Changed(_))),
            "{change:?}"
        );
        assert!(
            matches!(store.verify(&stored), Err(StoreError::Changed(_))),
            "{change:?}"
        );
        assert!(!path.exists());
        assert!(matches!(store.read(&stored), Err(StoreError::Read { .. })));
    }
}

#[test]
fn n01_names_cannot_lead_out_of_the_store() {
    let (_folder, store) = open();
    for file in ["", "..", "../x", "a/b", ".hidden"] {
        let outcome = store.put(&location(), file, None, &admitted("x"), at(0));
        assert!(matches!(outcome, Err(StoreError::Location(_))), "{file:?}");
    }
    let stray = Stored {
        path: "../outside".to_owned(),
        digest: Digest::of(b""),
        size: 0,
    };
    assert!(matches!(store.read(&stray), Err(StoreError::Location(_))));
    assert!(matches!(store.verify(&stray), Err(StoreError::Location(_))));
}

fn names(store: &Store) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(store.root().join(location().folder()))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "latest.tar.gz")
        .collect();
    names.sort();
    names
}

#[test]
fn two_artifacts_are_kept_for_a_minute() {
    let (_folder, store) = open();
    for (now, name) in [(0, "a"), (10, "b"), (20, "c")] {
        put(&store, name, name, now);
    }
    let collect = |current, retention, now| store.collect(&location(), current, retention, at(now)).unwrap();
    assert_eq!(collect("c", Retention::default(), 20), ["a"]);
    assert_eq!(names(&store), ["b", "c"]);
    assert!(
        collect("c", Retention::default(), 70).is_empty(),
        "b is exactly a minute old"
    );
    assert_eq!(collect("c", Retention::default(), 71), ["b"]);
    assert!(
        collect("c", Retention::default(), 1_000_000).is_empty(),
        "the current one stays"
    );
    assert!(
        store
            .collect(
                &Location::new("x", "y", "z").unwrap(),
                "c",
                Retention::default(),
                at(0)
            )
            .unwrap()
            .is_empty()
    );
}

#[test]
fn the_current_artifact_stays_also_when_it_is_the_oldest() {
    let (_folder, store) = open();
    for (now, name) in [(0, "a"), (10, "b"), (20, "c")] {
        put(&store, name, name, now);
    }
    let long = Retention {
        records: 2,
        age: Duration::from_hours(1),
    };
    assert_eq!(store.collect(&location(), "a", long, at(30)).unwrap(), ["b"]);
    assert_eq!(names(&store), ["a", "c"]);
    let one = Retention {
        records: 1,
        age: Duration::from_hours(1),
    };
    assert_eq!(store.collect(&location(), "a", one, at(30)).unwrap(), ["c"]);
}

#[test]
fn a_crash_leaves_nothing_that_counts() {
    let (folder, store) = open();
    let stored = put(&store, "a", "one", 0);
    let temporary = store.root().join(location().folder()).join(".tmp-7");
    fs::write(&temporary, "half").unwrap();
    assert!(
        store
            .collect(&location(), "a", Retention::default(), at(1000))
            .unwrap()
            .is_empty()
    );
    let store = Store::open(folder.path().join("store")).unwrap();
    assert!(!temporary.exists());
    assert_eq!(store.read(&stored).unwrap(), "one");
}

#[test]
fn what_belongs_to_an_object_goes_with_it() {
    let (_folder, store) = open();
    let stored = put(&store, "a", "one", 0);
    store.remove(&location()).unwrap();
    store.remove(&location()).unwrap();
    assert!(store.read(&stored).is_err());
}
