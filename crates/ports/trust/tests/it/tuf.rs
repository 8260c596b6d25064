//! Trust roots by The Update Framework, from mirrors that are honest and from others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use weir_registry::ClientOptions;
use weir_standin_sigstore::{Rekor, Sigstore, TufRepository, TufServer};
use weir_trust::{
    FolderMirror, HttpMirror, Known, Mirror, MirrorError, RefreshError, Refreshed, public_good_tuf_root,
    refresh,
};

use crate::interop::Cosign;

const TRUSTED_ROOT: &str = "trusted_root.json";
const SIGNING_CONFIG: &str = "signing_config.v0.2.json";
const DAY: SignedDuration = SignedDuration::from_hours(24);

fn start() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

fn instance() -> Sigstore {
    Sigstore::new(start())
}

fn documents(sigstore: &Sigstore) -> BTreeMap<String, Vec<u8>> {
    BTreeMap::from([
        (
            TRUSTED_ROOT.to_owned(),
            sigstore.trusted_root().to_string().into(),
        ),
        (
            SIGNING_CONFIG.to_owned(),
            sigstore.signing_config(Rekor::V1).to_string().into(),
        ),
    ])
}

fn repository() -> TufRepository {
    TufRepository::new(start(), documents(&instance()))
}

/// A repository's files, without a network. It remembers what it was asked for.
#[derive(Clone)]
struct Direct(TufRepository, Arc<Mutex<Vec<String>>>);

impl Direct {
    fn new(repository: &TufRepository) -> Self {
        Self(repository.clone(), Arc::default())
    }
}

impl Mirror for Direct {
    fn fetch<'m>(
        &'m self,
        path: &'m str,
        max_bytes: u64,
    ) -> BoxFuture<'m, Result<Option<Vec<u8>>, MirrorError>> {
        self.1.lock().unwrap().push(path.to_owned());
        let content = self.0.file(path);
        let fits = content
            .as_ref()
            .is_none_or(|content| content.len() as u64 <= max_bytes);
        let answer = if fits {
            Ok(content)
        } else {
            Err(MirrorError::TooLong {
                path: path.to_owned(),
                max_bytes,
            })
        };
        async move { answer }.boxed()
    }
}

async fn ask(
    repository: &TufRepository,
    root: &[u8],
    known: &mut Known,
    now: Timestamp,
) -> Result<Refreshed, RefreshError> {
    refresh(Arc::new(Direct::new(repository)), root, known, now).await
}

/// Begins with the first root and nothing known.
async fn fresh(repository: &TufRepository, now: Timestamp) -> Result<Refreshed, RefreshError> {
    ask(repository, &repository.root(1), &mut Known::default(), now).await
}

/// An error and all that it was caused by.
fn chain(error: &RefreshError) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(source) = next {
        text = format!("{text}: {source}");
        next = source.source();
    }
    text
}

#[track_caller]
fn refused(result: Result<Refreshed, RefreshError>, says: &str) {
    let error = chain(
        &result
            .err()
            .unwrap_or_else(|| panic!("taken, and not refused: {says}")),
    );
    assert!(error.contains(says), "{says}: {error}");
}

/// Serves another document of a role, signed by its keys, and makes the documents that name it fit again, with the same
/// versions: what somebody does who holds the keys of machines.
fn replace(repository: &TufRepository, role: &str, change: impl FnOnce(&mut Value)) {
    let pinned = |path: &str, name: &str| repository.signed(path)["meta"][name]["version"].clone();
    let snapshot = format!("{}.snapshot.json", pinned("timestamp.json", "snapshot.json"));
    let (path, above) = match role {
        "timestamp" => ("timestamp.json".to_owned(), None),
        "snapshot" => (snapshot, Some(("timestamp", "snapshot.json"))),
        "targets" => {
            let path = format!("{}.targets.json", pinned(&snapshot, "targets.json"));
            (path, Some(("snapshot", "targets.json")))
        }
        other => panic!("{other} is pinned by nothing"),
    };
    let mut signed = repository.signed(&path);
    change(&mut signed);
    let version = signed["version"].clone();
    let path = match role {
        "timestamp" => path,
        role => format!("{version}.{role}.json"),
    };
    repository.put(&path, repository.document(role, &signed));
    if let Some((above, name)) = above {
        let pin: Box<dyn FnOnce(&mut Value)> =
            Box::new(move |signed| signed["meta"][name] = json!({ "version": version }));
        replace(repository, above, pin);
    }
}

#[tokio::test]
async fn what_is_new_is_followed_through_rotated_roots_and_said_by_version() {
    let (sigstore, later) = (instance(), instance());
    let repository = TufRepository::new(start(), documents(&sigstore));
    let mut known = Known::default();
    let root = repository.root(1);
    let got = ask(&repository, &root, &mut known, start() + DAY).await.unwrap();
    assert_eq!(got.trusted_root, documents(&sigstore)[TRUSTED_ROOT]);
    assert_eq!(
        got.signing_config.as_ref(),
        Some(&documents(&sigstore)[SIGNING_CONFIG])
    );
    for versions in [got.root, got.targets, got.snapshot, got.timestamp] {
        assert_eq!((versions.before, versions.now), (None, 1));
        assert!(versions.expires > start() + DAY);
    }

    let same = ask(&repository, &root, &mut known, start() + DAY).await.unwrap();
    assert_eq!((same.targets.before, same.targets.now), (Some(1), 1));

    for _ in 0..3 {
        repository.rotate(start() + DAY);
    }
    repository.publish(start() + DAY * 2, documents(&later));
    let now = start() + DAY * 3;
    for begin in [root.clone(), known.root().unwrap().to_vec()] {
        let mut known = known.clone();
        let got = ask(&repository, &begin, &mut known, now).await.unwrap();
        assert_eq!(got.trusted_root, documents(&later)[TRUSTED_ROOT]);
        assert_eq!((got.root.before, got.root.now), (Some(1), 4));
        assert_eq!((got.targets.before, got.targets.now), (Some(1), 5));
        assert_eq!(known.root().unwrap(), repository.root(4));
        assert_eq!(known.seen().len(), 4);
    }
    // Without the configuration it is no error; without the trust root it is.
    let mut less = documents(&later);
    less.remove(SIGNING_CONFIG);
    repository.publish(now, less.clone());
    assert!(fresh(&repository, now).await.unwrap().signing_config.is_none());
    less.remove(TRUSTED_ROOT);
    repository.publish(now, less);
    refused(fresh(&repository, now).await, "lists no trusted_root.json");
}

#[tokio::test]
async fn folders_and_addresses_give_the_same_and_what_is_known_lives_in_a_folder() {
    let repository = repository();
    repository.rotate(start());
    let folder = tempfile::tempdir().unwrap();
    let (copy, kept) = (folder.path().join("mirror"), folder.path().join("kept"));
    repository.write_to(&copy).unwrap();
    let server = TufServer::start(repository.clone()).await.unwrap();
    let url = format!("{}/", server.url()).parse().unwrap();
    let mirrors: [Arc<dyn Mirror>; 2] = [
        Arc::new(HttpMirror::new(url, &ClientOptions::default()).unwrap()),
        Arc::new(FolderMirror::new(&copy)),
    ];
    let mut before = None;
    for mirror in mirrors {
        let mut known = Known::read(&kept).unwrap();
        let got = refresh(mirror, &repository.root(1), &mut known, start())
            .await
            .unwrap();
        assert_eq!((got.root.before, got.root.now), (before, 2));
        known.write(&kept).unwrap();
        assert_eq!(Known::read(&kept).unwrap(), known);
        before = Some(2);
    }
    for (url, says) in [
        ("http://mirror.example", "plain HTTP"),
        ("ftp://127.0.0.1/", "plain HTTP"),
    ] {
        let error = HttpMirror::new(url.parse().unwrap(), &ClientOptions::default()).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[tokio::test]
async fn n41_a_threshold_is_not_met_by_one_key_twice_or_by_strangers() {
    let repository = repository();
    let other = self::repository();
    let signed = repository.signed("1.targets.json");
    let path = "1.targets.json";
    let good = [
        repository.sign("targets", 0, &signed),
        repository.sign("targets", 1, &signed),
    ];
    let renamed = |mut signature: Value, id: String| {
        signature["keyid"] = id.into();
        signature
    };
    let second = || repository.key_id("targets", 1);
    let cases: [(&str, Vec<Value>); 7] = [
        ("signed by 0 of its keys, and 2 must sign", vec![]),
        ("signed by 1 of its keys", vec![good[0].clone()]),
        ("duplicate signature", vec![good[0].clone(), good[0].clone()]),
        (
            "signed by 1 of its keys",
            vec![good[0].clone(), renamed(good[0].clone(), second())],
        ),
        (
            "signed by 1 of its keys",
            vec![good[0].clone(), other.sign("targets", 1, &signed)],
        ),
        (
            "signed by 1 of its keys",
            vec![
                good[0].clone(),
                renamed(other.sign("targets", 1, &signed), second()),
            ],
        ),
        (
            "signed by 1 of its keys",
            vec![good[0].clone(), repository.sign("snapshot", 0, &signed)],
        ),
    ];
    replace(&repository, "targets", |_| {});
    for (says, signatures) in cases {
        let document = json!({ "signed": signed, "signatures": signatures });
        repository.put(path, document.to_string());
        refused(fresh(&repository, start()).await, says);
    }
    let document = json!({ "signed": signed, "signatures": good });
    repository.put(path, document.to_string());
    fresh(&repository, start()).await.unwrap();
}

#[tokio::test]
async fn n41_one_key_under_two_ids_is_one_key() {
    let repository = repository();
    // Signed as it should be, by two of the three keys of the old root and of itself.
    let mut signed = repository.signed("1.root.json");
    signed["version"] = 2.into();
    let key = repository.public_key("root", 0);
    let mut spaced = key.clone();
    let text = key["keyval"]["public"].as_str().unwrap();
    spaced["keyval"]["public"] = format!("\n{text}\n\n").into();
    for twin in [key, spaced] {
        let mut signed = signed.clone();
        signed["keys"]["twin"] = twin;
        let ids = json!([repository.key_id("root", 0), "twin", repository.key_id("root", 1)]);
        for role in ["root", "targets", "timestamp"] {
            let mut signed = signed.clone();
            signed["roles"][role]["keyids"] = ids.clone();
            repository.put("2.root.json", repository.document("root", &signed));
            refused(fresh(&repository, start()).await, "lists one key more than once");
            let alone = repository.document("root", &signed);
            let result = ask(&repository, &alone, &mut Known::default(), start()).await;
            refused(result, "lists one key more than once");
        }
    }
    // The same, in whom the list of targets delegates to.
    repository.remove("2.root.json");
    replace(&repository, "targets", |signed| {
        let key = repository.public_key("targets", 1);
        signed["targets"] = json!({});
        signed["delegations"] = json!({
            "keys": { "a": key, "b": key },
            "roles": [{ "name": "d", "keyids": ["a", "b"], "threshold": 2, "terminating": false, "paths": ["*"] }],
        });
    });
    refused(fresh(&repository, start()).await, "lists one key more than once");
}

#[tokio::test]
async fn n41_a_root_must_be_signed_by_the_one_before_and_by_itself() {
    let (repository, stranger) = (repository(), repository());
    let mut signed = stranger.signed("1.root.json");
    signed["version"] = 2.into();
    // Whoever wrote it, the keys of the first root have not signed it.
    repository.put("2.root.json", stranger.document("root", &signed));
    refused(
        fresh(&repository, start()).await,
        "root is signed by 0 of its keys, and 2 must sign",
    );
    // The first root's keys have, and its own have not.
    repository.put("2.root.json", repository.document("root", &signed));
    refused(
        fresh(&repository, start()).await,
        "root is signed by 0 of its keys",
    );
    // One to begin with that nobody has signed.
    let alone = json!({ "signed": signed, "signatures": [] }).to_string();
    let result = ask(&repository, alone.as_bytes(), &mut Known::default(), start()).await;
    refused(result, "root to begin with cannot be used");
    let mut vacuous = signed.clone();
    vacuous["roles"]["root"]["threshold"] = 0.into();
    let alone = json!({ "signed": vacuous, "signatures": [] }).to_string();
    let result = ask(&repository, alone.as_bytes(), &mut Known::default(), start()).await;
    refused(result, "threshold 0");
}

#[tokio::test]
async fn n41_what_is_no_document_is_refused_and_nothing_of_it_is_kept() {
    let repository = repository();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let signed = repository.signed("timestamp.json");
    let with = |change: &dyn Fn(&mut Value)| {
        let mut signed = signed.clone();
        change(&mut signed);
        repository.document("timestamp", &signed)
    };
    let garbage: [Vec<u8>; 14] = [
        b"".to_vec(),
        b"{".to_vec(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"{\"signed\":{},\"signatures\":[]}".to_vec(),
        b"{\"signatures\":[]}".to_vec(),
        b"\xFF\xFE".to_vec(),
        deep.into_bytes(),
        with(&|signed| signed["_type"] = "snapshot".into()),
        with(&|signed| signed["spec_version"] = "2.0.0".into()),
        with(&|signed| signed["version"] = (-1).into()),
        with(&|signed| signed["expires"] = "tomorrow".into()),
        with(&|signed| signed["meta"] = json!({})),
        with(&|signed| signed["meta"] = json!([])),
    ];
    for path in [
        "2.root.json",
        "timestamp.json",
        "1.snapshot.json",
        "1.targets.json",
    ] {
        let good = repository.file(path);
        for content in &garbage {
            // An answer for another document is garbage there, too.
            repository.put(path, content.clone());
            let mut known = Known::default();
            let result = ask(&repository, &repository.root(1), &mut known, start()).await;
            let said = chain(&result.unwrap_err());
            assert!(said.len() < 500, "{said}");
            assert!(known.seen().iter().all(|one| one.version == 1), "{known:?}");
        }
        match good {
            Some(content) => repository.put(path, content),
            None => repository.remove(path),
        }
    }
    for content in &garbage {
        let result = ask(&repository, content, &mut Known::default(), start()).await;
        refused(result, "root to begin with cannot be used");
    }
    fresh(&repository, start()).await.unwrap();
}

#[tokio::test]
async fn n41_documents_do_not_go_back() {
    let repository = repository();
    let old = repository.record();
    let root = repository.root(1);
    repository.publish(start(), documents(&instance()));
    repository.rotate(start());
    repository.renew(start());
    let mut known = Known::default();
    ask(&repository, &root, &mut known, start()).await.unwrap();
    let current = repository.record();
    let versions = known.seen();
    let check = async |says: &str| {
        let mut known = known.clone();
        refused(ask(&repository, &root, &mut known, start()).await, says);
        // A timestamp that is newer and signed counts, whatever it leads to.
        for (now, before) in known.seen().iter().zip(&versions) {
            assert!(now.version >= before.version, "{says}: {now:?}");
        }
        repository.replay(current.clone());
    };

    // A whole mirror of yesterday: its timestamp is by keys that are no longer in the root.
    repository.replay(old.clone());
    check("timestamp is signed by 0 of its keys").await;
    // An old root under the new number.
    repository.put("3.root.json", root.clone());
    check("mirror went back: root has version 1, and version 2 was seen before").await;
    // One that skips a version.
    let mut far = repository.signed("2.root.json");
    far["version"] = 4.into();
    repository.put("3.root.json", repository.document("root", &far));
    check("root version must increment by one").await;
    // By whoever holds the machine's keys.
    replace(&repository, "timestamp", |signed| signed["version"] = 1.into());
    check("mirror went back: timestamp has version 1, and version 4 was seen before").await;
    replace(&repository, "timestamp", |signed| {
        signed["version"] = 9.into();
        signed["meta"]["snapshot.json"] = json!({ "version": 1 });
    });
    check("snapshot (via timestamp)").await;
    replace(&repository, "targets", |signed| signed["version"] = 1.into());
    // The same numbers as before would be taken for the same documents.
    replace(&repository, "snapshot", |signed| signed["version"] = 9.into());
    replace(&repository, "timestamp", |signed| signed["version"] = 9.into());
    check("targets.json (via snapshot)").await;
    replace(&repository, "snapshot", |signed| {
        signed["version"] = 9.into();
        signed["meta"] = json!({ "other.json": { "version": 9 } });
    });
    replace(&repository, "timestamp", |signed| signed["version"] = 9.into());
    check("snapshot removes targets.json").await;
    ask(&repository, &root, &mut known, start()).await.unwrap();
    assert_eq!(known.seen(), versions);
}

#[tokio::test]
async fn n41_what_was_seen_counts_also_when_the_rest_did_not_come() {
    let repository = repository();
    let root = repository.root(1);
    let mut known = Known::default();
    ask(&repository, &root, &mut known, start()).await.unwrap();
    let old = repository.record();
    repository.publish(start(), documents(&instance()));
    repository.remove("2.snapshot.json");
    refused(
        ask(&repository, &root, &mut known, start()).await,
        "mirror lacks a document",
    );
    // The mirror goes on as if nothing had been.
    repository.replay(old);
    let result = ask(&repository, &root, &mut known, start()).await;
    refused(
        result,
        "mirror went back: timestamp has version 1, and version 2 was seen before",
    );
}

#[tokio::test]
async fn n41_a_mirror_that_stands_still_is_noticed() {
    let repository = repository();
    let mut known = Known::default();
    let root = repository.root(1);
    ask(&repository, &root, &mut known, start()).await.unwrap();
    for (after, says) in [
        (
            DAY * 8,
            "timestamp of the repository has ended on 2026-06-08T00:00:00Z",
        ),
        (DAY * 366, "root of the repository has ended"),
    ] {
        refused(fresh(&repository, start() + after).await, says);
        // Known documents are no better than new ones.
        let result = ask(&repository, &root, &mut known.clone(), start() + after).await;
        refused(result, says);
    }
    // A new timestamp alone does not make the others live longer.
    repository.renew(start() + DAY * 31);
    refused(
        fresh(&repository, start() + DAY * 32).await,
        "snapshot of the repository has ended",
    );
    replace(&repository, "targets", |signed| {
        signed["expires"] = "2026-06-02T00:00:00Z".into();
    });
    refused(
        fresh(&repository, start() + DAY * 3).await,
        "targets of the repository has ended",
    );
}

#[tokio::test]
async fn n41_other_content_under_a_name_is_refused() {
    let repository = repository();
    let good = repository.record();
    let target = repository
        .paths()
        .into_iter()
        .find(|path| path.ends_with(TRUSTED_ROOT))
        .unwrap();
    for path in ["1.snapshot.json", "1.targets.json", target.as_str()] {
        let content = good[path].clone();
        let mut longer = content.clone();
        longer.push(b'\n');
        let mut other = content.clone();
        let last = other.len() - 1;
        other[last] = b' ';
        for bad in [longer, other, content[..last].to_vec()] {
            repository.put(path, bad);
            assert!(fresh(&repository, start()).await.is_err(), "{path}");
        }
        repository.put(path, content);
    }
    // A list that asks for no hash that is known, or for a target without end.
    for (field, value, says) in [
        ("hashes", json!({}), "no hash"),
        ("hashes", json!({ "md5": "00" }), "not found"),
        ("length", json!(u64::MAX), "exceeds"),
    ] {
        repository.replay(good.clone());
        replace(&repository, "targets", |signed| {
            signed["targets"][TRUSTED_ROOT][field] = value;
        });
        refused(fresh(&repository, start()).await, says);
    }
    // What is signed and still of no use does not replace what is.
    let mut useless = documents(&instance());
    useless.insert(TRUSTED_ROOT.to_owned(), b"{}".to_vec());
    repository.publish(start(), useless);
    refused(
        fresh(&repository, start()).await,
        "trusted_root.json of the repository cannot be used",
    );
    let mut useless = documents(&instance());
    useless.insert(SIGNING_CONFIG.to_owned(), b"{}".to_vec());
    repository.publish(start(), useless);
    refused(
        fresh(&repository, start()).await,
        "signing_config.v0.2.json of the repository cannot be used",
    );
}

#[tokio::test]
async fn n41_documents_of_different_days_are_not_mixed() {
    let repository = repository();
    let old = repository.record();
    repository.publish(start(), documents(&instance()));
    let new = repository.record();
    // Yesterday's snapshot and targets under today's names, and the other way round.
    for (served, path, content) in [
        (&new, "2.snapshot.json", &old["1.snapshot.json"]),
        (&new, "2.targets.json", &old["1.targets.json"]),
        (&old, "1.snapshot.json", &new["2.snapshot.json"]),
        (&old, "1.targets.json", &new["2.targets.json"]),
    ] {
        repository.replay(served.clone());
        repository.put(path, content.clone());
        refused(fresh(&repository, start()).await, "not to be trusted");
    }
    // Where nothing but versions is said.
    repository.replay(new);
    replace(&repository, "snapshot", |_| {});
    repository.put("2.snapshot.json", old["1.snapshot.json"].clone());
    refused(
        fresh(&repository, start()).await,
        "snapshot version 1 does not match timestamp pin 2",
    );
}

#[tokio::test]
async fn n41_names_lead_nowhere() {
    let repository = repository();
    let evil = "../../../evil";
    replace(&repository, "targets", |signed| {
        let listed = signed["targets"][TRUSTED_ROOT].take();
        let key = repository.public_key("targets", 0);
        signed["targets"] = json!({ "../trusted_root.json": listed, "/etc/passwd": listed });
        signed["delegations"] = json!({
            "keys": { "a": key },
            "roles": [
                { "name": evil, "keyids": ["a"], "threshold": 1, "terminating": false, "paths": ["*"] },
                { "name": "timestamp", "keyids": ["a"], "threshold": 1, "terminating": false, "paths": ["*"] },
                { "name": "a\\b?c#d", "keyids": ["a"], "threshold": 1, "terminating": false, "paths": ["*"] },
            ],
        });
    });
    replace(&repository, "snapshot", |signed| {
        for name in [evil, "timestamp", "a\\b?c#d"] {
            signed["meta"][format!("{name}.json")] = json!({ "version": 1 });
        }
    });
    let mirror = Direct::new(&repository);
    let asked = mirror.1.clone();
    let result = refresh(
        Arc::new(mirror),
        &repository.root(1),
        &mut Known::default(),
        start(),
    )
    .await;
    refused(
        result,
        "mirror lacks a document (1...%2F..%2F..%2Fevil.json not found)",
    );
    for path in asked.lock().unwrap().iter() {
        let plain = |part: &str| !part.is_empty() && !matches!(part, "." | "..") && !part.contains('\\');
        assert!(path.split('/').all(plain), "{path}");
    }
    // And whoever would ask for such a name gets nothing from a folder or an address.
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("mirror")).unwrap();
    std::fs::write(folder.path().join("secret"), "x").unwrap();
    let server = TufServer::start(repository).await.unwrap();
    let url = format!("{}/a", server.url()).parse().unwrap();
    let mirrors: [Arc<dyn Mirror>; 2] = [
        Arc::new(HttpMirror::new(url, &ClientOptions::default()).unwrap()),
        Arc::new(FolderMirror::new(folder.path().join("mirror"))),
    ];
    for mirror in mirrors {
        for name in [
            "../secret",
            "a/../../secret",
            "/secret",
            "",
            "a//b",
            "./x",
            "a\\..\\b",
            "c:x",
            "x?y",
            "x\ny",
        ] {
            let error = mirror.fetch(name, 100).await.unwrap_err();
            assert!(matches!(error, MirrorError::Name(_)), "{name}: {error}");
        }
    }
}

#[tokio::test]
async fn n41_an_answer_that_never_ends_is_cut() {
    let repository = repository();
    let good = repository.record();
    let server = TufServer::start(repository.clone()).await.unwrap();
    let ask = async || {
        let url = server.url().parse().unwrap();
        let mirror = HttpMirror::new(url, &ClientOptions::default()).unwrap();
        refresh(
            Arc::new(mirror),
            &repository.root(1),
            &mut Known::default(),
            start(),
        )
        .await
    };
    let target = repository
        .paths()
        .into_iter()
        .find(|path| path.ends_with(TRUSTED_ROOT))
        .unwrap();
    for path in [
        "2.root.json",
        "timestamp.json",
        "1.snapshot.json",
        "1.targets.json",
        target.as_str(),
    ] {
        repository.put_endless(path);
        refused(ask().await, "too long");
        repository.replay(good.clone());
    }
    // Roots without end.
    for _ in 0..40 {
        repository.rotate(start());
    }
    refused(ask().await, "root rotations");
}

#[tokio::test]
async fn n41_a_folder_of_another_repository_is_not_taken_over() {
    let (ours, other) = (repository(), repository());
    ours.rotate(start());
    let mut known = Known::default();
    ask(&ours, &ours.root(1), &mut known, start()).await.unwrap();
    for root in [other.root(1), {
        other.rotate(start());
        other.root(2)
    }] {
        let result = ask(&other, &root, &mut known.clone(), start()).await;
        refused(result, "what is known here is of version 2 of another root");
    }
    // One that is newer than all that is known, too.
    other.rotate(start());
    for (mirror, says) in [
        (&other, "what is known here is of version 2 of another root"),
        (
            &ours,
            "mirror went back: root has version 2, and version 3 was seen before",
        ),
    ] {
        let mut kept = known.clone();
        refused(ask(mirror, &other.root(3), &mut kept, start()).await, says);
        assert_eq!(kept.root(), known.root());
    }
    ours.rotate(start());
    let got = ask(&ours, &ours.root(3), &mut known.clone(), start()).await;
    assert_eq!(got.unwrap().root.now, 3);
    // Its own roots are no other's, wherever one begins.
    for version in [1, 2] {
        let got = ask(&ours, &ours.root(version), &mut known.clone(), start()).await;
        assert_eq!(got.unwrap().root.before, Some(2));
    }
}

/// Who forgets to name a repository's own root begins with that of another one, and may begin again.
#[tokio::test]
async fn a_root_that_led_nowhere_is_not_remembered() {
    let (ours, other) = (repository(), repository());
    let mut known = Known::default();
    assert!(ask(&ours, &other.root(1), &mut known, start()).await.is_err());
    assert_eq!(known, Known::default());
    ask(&ours, &ours.root(1), &mut known, start()).await.unwrap();
    // What a root led to before the rest failed is.
    let mut known = Known::default();
    ours.rotate(start());
    let much_later = start() + DAY * 4000;
    assert!(ask(&ours, &ours.root(1), &mut known, much_later).await.is_err());
    assert_ne!(known, Known::default());
}

#[test]
fn n41_of_two_updates_of_one_folder_the_second_waits_for_its_turn() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("trust/tuf");
    let held = Known::lock(&folder).unwrap();
    let busy = Known::lock(&folder).unwrap_err();
    assert_eq!(busy.kind(), std::io::ErrorKind::WouldBlock);
    drop(held);
    Known::lock(&folder).unwrap();
    // It is no document.
    assert_eq!(Known::read(&folder).unwrap(), Known::default());
}

#[tokio::test]
async fn the_shipped_root_of_the_public_repository_can_be_begun_with() {
    let empty = repository();
    empty.replay(BTreeMap::new());
    let root = public_good_tuf_root();
    let shipped: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
    let result = ask(&empty, root, &mut Known::default(), shipped).await;
    refused(result, "mirror lacks a document (timestamp.json not found)");
    let much_later: Timestamp = "2036-01-01T00:00:00Z".parse().unwrap();
    let result = ask(&empty, root, &mut Known::default(), much_later).await;
    refused(result, "root of the repository has ended");
}

/// The real cosign reads the stand-in's repository, follows its roots, and refuses what it should.
#[tokio::test(flavor = "multi_thread")]
async fn cosign_initialises_from_the_same_repository() {
    let Some(cosign) = Cosign::find() else {
        println!("not run: cosign is not built");
        return;
    };
    let now = Timestamp::now();
    let repository = TufRepository::new(now, documents(&Sigstore::new(now)));
    let server = TufServer::start(repository.clone()).await.unwrap();
    std::fs::write(cosign.path().join("first.json"), repository.root(1)).unwrap();
    let url = server.url();
    let initialise = async || {
        let args = ["initialize", "--mirror", &url, "--root", "first.json"];
        let output = cosign.run(&args).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), said)
    };
    let (good, said) = initialise().await;
    assert!(good, "{said}");
    let old = repository.record();
    repository.rotate(now);
    repository.publish(now, documents(&Sigstore::new(now)));
    let (good, said) = initialise().await;
    assert!(good, "{said}");
    let mut known = Known::default();
    let ours = ask(&repository, &repository.root(1), &mut known, now)
        .await
        .unwrap();
    assert_eq!((ours.root.now, ours.targets.now), (2, 3));
    // What it has put beside its documents is what we got.
    assert!(
        holds(cosign.path(), &ours.trusted_root),
        "cosign has another trust root"
    );
    // Back to the first day: both say no.
    let mut led_back = old;
    led_back.insert("2.root.json".to_owned(), repository.root(2));
    repository.replay(led_back);
    let (good, said) = initialise().await;
    assert!(!good, "{said}");
    assert!(
        ask(&repository, &repository.root(1), &mut known, now)
            .await
            .is_err()
    );
}

/// Whether a file with this content is anywhere below a folder.
fn holds(folder: &std::path::Path, content: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            holds(&path, content)
        } else {
            std::fs::read(&path).is_ok_and(|found| found == content)
        }
    })
}
