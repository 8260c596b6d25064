//! Promotion records: how they are written and read, which one counts, and which moves they allow.

use jiff::Timestamp;
use serde_json::{Value, json};
use weir_oci::Digest;
use weir_standin_sigstore::{Holder, Rekor, Sigstore};
use weir_verify::{
    Action, Examined, FoundBundle, Hold, Identity, IdentityPolicy, Move, Next, PROMOTION_PREDICATE, Policy,
    Position, PredicateType, Promotion, Recorded, Rollback, SignatureSet, Statement, Step, StepKind,
    StepRefused, TagState, TrustRoot, Verified, examine, governing,
};

use crate::cases::{digest, now, target};

pub(crate) const ISSUER: &str = "https://ci.example";
pub(crate) const SUBJECT: &str = "https://ci.example/org/app/release.yml@refs/heads/main";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn promotion(tag: &str, sequence: u64) -> Promotion {
    Promotion {
        action: Action::Promote,
        repository: target().repository().clone(),
        tag: tag.parse().unwrap(),
        sequence,
        previous: None,
        from: Some("latest".to_owned()),
        time: at("2026-02-01T12:00:00Z"),
        by: "alice".to_owned(),
        reason: None,
        earlier_holds: Vec::new(),
        releases: Vec::new(),
    }
}

pub(crate) fn hold(blocked: Digest, until: Option<&str>) -> Hold {
    Hold {
        until: until.map(at),
        blocked: vec![blocked],
    }
}

fn full() -> Promotion {
    let (bad, worse) = (Digest::of(b"bad"), Digest::of(b"worse"));
    Promotion {
        action: Action::Rollback(hold(bad, Some("2026-12-01T00:00:00Z"))),
        previous: Some(bad),
        reason: Some("it crashes".to_owned()),
        earlier_holds: vec![Rollback {
            hold: hold(worse, None),
            sequence: 4,
            time: at("2026-01-01T00:00:00Z"),
            by: "bob".to_owned(),
            reason: None,
        }],
        releases: vec![Digest::of(b"released")],
        ..promotion("latest-stable", 7)
    }
}

#[test]
fn a_record_is_written_with_these_names_and_read_back() {
    let full = full();
    let written = full.to_predicate();
    let expected = json!({
        "action": "rollback",
        "repository": "registry.example/org/app",
        "tag": "latest-stable",
        "sequence": 7,
        "previous": Digest::of(b"bad").to_string(),
        "from": "latest",
        "time": "2026-02-01T12:00:00Z",
        "by": "alice",
        "reason": "it crashes",
        "hold": { "until": "2026-12-01T00:00:00Z", "blocked": [Digest::of(b"bad").to_string()] },
        "earlierHolds": [{
            "blocked": [Digest::of(b"worse").to_string()],
            "sequence": 4,
            "time": "2026-01-01T00:00:00Z",
            "by": "bob",
        }],
        "releases": [Digest::of(b"released").to_string()],
    });
    assert_eq!(written, expected);
    assert_eq!(Promotion::from_predicate(&written).unwrap(), full);

    let small = Promotion {
        action: Action::Publish,
        from: None,
        ..promotion("latest", 1)
    };
    let written = small.to_predicate();
    assert_eq!(written["previous"], Value::Null);
    assert_eq!(written.as_object().unwrap().len(), 7, "{written}");
    assert_eq!(Promotion::from_predicate(&written).unwrap(), small);
}

#[test]
fn fields_that_are_not_known_are_ignored_and_wrong_ones_are_not() {
    let mut more = full().to_predicate();
    more["checks"] = json!(["smoke"]);
    more["hold"]["ticket"] = json!(1);
    assert_eq!(Promotion::from_predicate(&more).unwrap(), full());

    let refused = |change: &dyn Fn(&mut Value)| {
        let mut value = full().to_predicate();
        change(&mut value);
        Promotion::from_predicate(&value).unwrap_err().to_string()
    };
    let remove = |name: &'static str| {
        move |value: &mut Value| {
            value.as_object_mut().unwrap().remove(name);
        }
    };
    for name in [
        "action",
        "repository",
        "tag",
        "sequence",
        "previous",
        "time",
        "by",
        "hold",
    ] {
        assert_eq!(
            refused(&remove(name)),
            format!("no promotion record: the field `{name}` is missing")
        );
    }
    for (path, value, said) in [
        ("/action", json!("demote"), "the field `action` is not"),
        (
            "/action",
            json!("publish"),
            "the field `hold` is there, and only a rollback has one",
        ),
        (
            "/repository",
            json!("oci://registry.example/org/app"),
            "the field `repository` is no repository",
        ),
        ("/tag", json!("a/b"), "the field `tag` is no tag"),
        (
            "/sequence",
            json!(0),
            "the field `sequence` is no whole number from 1",
        ),
        (
            "/sequence",
            json!("7"),
            "the field `sequence` is no whole number from 1",
        ),
        (
            "/sequence",
            json!(1.5),
            "the field `sequence` is no whole number from 1",
        ),
        ("/previous", json!(""), "the field `previous` is empty"),
        (
            "/previous",
            json!("sha256:abc"),
            "the field `previous` is no digest",
        ),
        ("/time", json!("yesterday"), "the field `time` is no time"),
        ("/by", json!(7), "the field `by` is no text"),
        ("/from", json!(7), "the field `from` is no text"),
        ("/reason", json!([]), "the field `reason` is no text"),
        (
            "/hold/blocked",
            json!("sha256:abc"),
            "the field `hold.blocked` is no list",
        ),
        (
            "/hold/blocked",
            json!([1]),
            "the field `hold.blocked` is no list of digests",
        ),
        ("/hold/until", json!("soon"), "the field `hold.until` is no time"),
        (
            "/earlierHolds/0/by",
            json!(null),
            "the field `earlierHolds.0.by` is no text",
        ),
        ("/earlierHolds", json!({}), "the field `earlierHolds` is no list"),
        (
            "/releases",
            json!(["x"]),
            "the field `releases` is no list of digests",
        ),
    ] {
        let said_in_fact = refused(&|document: &mut Value| {
            *document.pointer_mut(path).unwrap() = value.clone();
        });
        let start = format!("no promotion record: {said}");
        assert!(said_in_fact.starts_with(&start), "{path}: {said_in_fact}");
    }
    let mut nothing_promoted = promotion("latest", 1).to_predicate();
    nothing_promoted.as_object_mut().unwrap().remove("from");
    let said = Promotion::from_predicate(&nothing_promoted)
        .unwrap_err()
        .to_string();
    assert_eq!(said, "no promotion record: the field `from` is missing");
}

#[test]
fn it_is_a_predicate_that_is_checked() {
    let kind: PredicateType = PROMOTION_PREDICATE.parse().unwrap();
    let good = full().to_predicate().to_string();
    assert!(kind.read(good.as_bytes(), now()).is_ok());
    assert!(kind.read(b"{}", now()).is_err());
}

/// Statements about the usual artifact, each signed by somebody.
pub(crate) fn examined(statements: &[(&str, Value)]) -> Vec<Examined> {
    let sigstore = Sigstore::new(at("2026-01-01T00:00:00Z"));
    let bundles = statements.iter().map(|(subject, predicate)| {
        let statement = Statement::about(&target(), PROMOTION_PREDICATE, predicate.clone());
        let text = serde_json::to_vec(&statement).unwrap();
        let holder = Holder::new(ISSUER, *subject);
        let bundle = sigstore.sign_statement(&holder, &text, at("2026-02-01T12:00:00Z"), Rekor::V2);
        let content = bundle.to_string().into_bytes();
        FoundBundle {
            manifest: Digest::of(&content),
            content,
        }
    });
    let set = SignatureSet {
        bundles: bundles.collect(),
        ..SignatureSet::default()
    };
    let root = TrustRoot::from_json(sigstore.trusted_root().to_string().as_bytes()).unwrap();
    let policy = IdentityPolicy::new(root, [Identity::exact(ISSUER, SUBJECT).unwrap()]).unwrap();
    examine(&target(), &set, &Policy::Identities(policy), now())
}

fn counts(statements: &[(&str, Value)], tag: &str) -> Option<Verified<Recorded>> {
    let repository = target().repository().clone();
    governing(&examined(statements), &repository, &tag.parse().unwrap()).unwrap()
}

#[test]
fn n26_the_record_with_the_highest_number_counts_for_its_tag() {
    let of = |tag: &str, sequence| (SUBJECT, promotion(tag, sequence).to_predicate());
    let statements = [
        of("latest", 9),
        of("latest-stable", 2),
        of("latest-stable", 5),
        of("latest-stable", 3),
    ];
    let found = counts(&statements, "latest-stable").unwrap();
    assert_eq!(found.get().promotion.sequence, 5);
    assert_eq!(found.get().digest, digest());
    assert_eq!(counts(&statements, "latest").unwrap().get().promotion.sequence, 9);
    assert!(counts(&statements, "other").is_none());
    assert!(counts(&[], "latest").is_none());
}

#[test]
fn n40_a_record_for_another_repository_does_not_count() {
    let elsewhere = Promotion {
        repository: "registry.example/org/other".parse().unwrap(),
        ..promotion("latest", 9)
    };
    assert!(counts(&[(SUBJECT, elsewhere.to_predicate())], "latest").is_none());
}

#[test]
fn n26_a_record_by_somebody_else_does_not_count() {
    let statements = [
        (
            "https://ci.example/mallory",
            promotion("latest", 9).to_predicate(),
        ),
        ("https://ci.example/mallory", json!({ "action": "demote" })),
        (SUBJECT, promotion("latest", 2).to_predicate()),
    ];
    let found = counts(&statements, "latest").unwrap();
    assert_eq!(found.get().promotion.sequence, 2);
}

#[test]
fn a_good_signature_over_a_record_that_cannot_be_read_is_an_error() {
    let mut newer = promotion("latest", 9).to_predicate();
    newer["action"] = json!("freeze");
    let statements = [(SUBJECT, promotion("latest", 2).to_predicate()), (SUBJECT, newer)];
    let error = governing(
        &examined(&statements),
        target().repository(),
        &"latest".parse().unwrap(),
    );
    let error = error.unwrap_err();
    assert_eq!(
        error.source.to_string(),
        "no promotion record: the field `action` is not \"publish\", \"promote\" or \"rollback\""
    );
}

#[test]
fn of_two_records_with_one_number_the_one_that_holds_something_back_counts() {
    let rolled_back = Promotion {
        action: Action::Rollback(hold(Digest::of(b"bad"), None)),
        ..promotion("latest", 3)
    };
    let later = Promotion {
        time: at("2026-03-01T12:00:00Z"),
        ..promotion("latest", 3)
    };
    for statements in [
        [
            (SUBJECT, rolled_back.to_predicate()),
            (SUBJECT, later.to_predicate()),
        ],
        [
            (SUBJECT, later.to_predicate()),
            (SUBJECT, rolled_back.to_predicate()),
        ],
    ] {
        let found = counts(&statements, "latest").unwrap();
        assert_eq!(found.get().promotion, rolled_back);
    }
}

#[test]
fn n26_numbers_go_up_only() {
    let record = |promotion: Promotion| {
        let found = counts(&[(SUBJECT, promotion.to_predicate())], "latest").unwrap();
        found.into_inner()
    };
    let five = record(promotion("latest", 5));
    let rollback = record(Promotion {
        action: Action::Rollback(hold(Digest::of(b"bad"), None)),
        ..promotion("latest", 5)
    });
    let from = |sequence, digest| Position { sequence, digest };
    let (same, other) = (digest(), Digest::of(b"other"));
    for (position, wanted, allowed) in [
        (from(5, same), Move::Repeat, true),
        (from(4, same), Move::Forward, true),
        (from(4, other), Move::Forward, true),
        (from(1, other), Move::Forward, true),
        (from(5, other), Move::Fork, false),
        (from(6, other), Move::Backwards, false),
        (from(6, same), Move::Backwards, false),
    ] {
        let found = five.moved_from(position);
        assert_eq!(found, wanted, "{position:?}");
        assert_eq!(found.is_allowed(), allowed);
    }
    assert_eq!(rollback.moved_from(from(4, other)), Move::Rollback);
    assert_eq!(rollback.moved_from(from(6, other)), Move::Backwards);
    assert_eq!(five.position(), from(5, same));
}

#[test]
fn a_hold_lasts_until_its_time_or_until_it_is_released() {
    let (bad, worse, good) = (Digest::of(b"bad"), Digest::of(b"worse"), Digest::of(b"good"));
    let record = full();
    let (before, after) = (at("2026-11-30T23:59:59Z"), at("2026-12-01T00:00:00Z"));
    let blocked = record.blocks(bad, before).unwrap();
    assert_eq!(
        blocked.to_string(),
        "rolled back by alice at 2026-02-01T12:00:00Z (it crashes), held until 2026-12-01T00:00:00Z"
    );
    assert_eq!(record.blocks(bad, after), None);
    let carried = record.blocks(worse, after).unwrap();
    assert_eq!(
        carried.to_string(),
        "rolled back by bob at 2026-01-01T00:00:00Z, held until it is released"
    );
    assert_eq!(record.blocks(good, before), None);
}

#[test]
fn a_record_breaks_a_hold_unless_it_releases_it() {
    let next = promotion("latest", 8);
    let earlier = Promotion {
        action: Action::Rollback(hold(digest(), None)),
        ..promotion("latest", 7)
    };
    let recorded = |promotion: Promotion| {
        let found = counts(&[(SUBJECT, promotion.to_predicate())], "latest").unwrap();
        found.into_inner()
    };
    assert!(recorded(next.clone()).breaks_hold(&earlier, now()).is_some());
    let released = Promotion {
        releases: vec![digest()],
        ..next
    };
    assert_eq!(recorded(released).breaks_hold(&earlier, now()), None);
}

fn step(kind: StepKind) -> Step {
    Step {
        repository: target().repository().clone(),
        tag: "latest".parse().unwrap(),
        digest: digest(),
        kind,
        from: Some("latest".to_owned()),
        by: "bob".to_owned(),
        reason: None,
        release_hold: false,
        at_least: 1,
    }
}

fn recorded(promotion: &Promotion) -> Recorded {
    let found = counts(&[(SUBJECT, promotion.to_predicate())], "latest").unwrap();
    found.into_inner()
}

#[test]
fn the_next_record_follows_the_last_one_and_one_that_was_left_is_taken() {
    let promote = step(StepKind::Promote);
    let next = |state: &TagState, prepared: &[Recorded]| promote.next(state, prepared, now()).unwrap();
    let Next::Record(first) = next(&TagState::default(), &[]) else {
        panic!("no record")
    };
    assert_eq!((first.sequence, first.previous), (1, None));

    // What the tag names is another artifact; the record only lends its number.
    let other = Digest::of(b"other");
    let state = TagState {
        digest: Some(other),
        record: Some(recorded(&promotion("latest", 4))),
    };
    let Next::Record(wanted) = next(&state, &[]) else {
        panic!("no record")
    };
    assert_eq!((wanted.sequence, wanted.previous), (5, Some(other)));
    let left = recorded(&Promotion {
        by: "a run before".to_owned(),
        ..wanted.clone()
    });
    assert_eq!(
        next(&state, std::slice::from_ref(&left)),
        Next::Move(left.clone())
    );
    // One that follows something else, or is too old, is not.
    for unfit in [
        Promotion {
            previous: None,
            ..wanted.clone()
        },
        Promotion {
            sequence: 4,
            ..wanted.clone()
        },
    ] {
        let Next::Record(made) = next(&state, &[recorded(&unfit)]) else {
            panic!("not made")
        };
        assert!(made.sequence > unfit.sequence.max(4), "{made:?}");
    }
    let there = TagState {
        digest: Some(digest()),
        record: Some(left.clone()),
    };
    assert_eq!(next(&there, &[]), Next::Done(left));
    // The history is lost, and somebody says where it was.
    let lost = Step {
        at_least: 40,
        ..promote.clone()
    };
    let Next::Record(made) = lost.next(&TagState::default(), &[], now()).unwrap() else {
        panic!("no record")
    };
    assert_eq!(made.sequence, 40);
}

#[test]
fn n26_what_is_held_back_is_refused_and_holds_are_carried_on_while_they_last() {
    let other = Digest::of(b"other");
    let state = |blocked: Digest, until: Option<&str>| TagState {
        digest: Some(other),
        record: Some(recorded(&Promotion {
            action: Action::Rollback(hold(blocked, until)),
            ..promotion("latest", 4)
        })),
    };
    let over = Some("2026-10-01T00:00:00Z");
    let promote = step(StepKind::Promote);
    for kind in [
        StepKind::Publish,
        StepKind::Promote,
        StepKind::Rollback { until: None },
    ] {
        let refused = step(kind).next(&state(digest(), None), &[], now());
        assert!(matches!(refused, Err(StepRefused::Held { .. })), "{refused:?}");
    }
    let carried = |state: &TagState, step: &Step| match step.next(state, &[], now()) {
        Ok(Next::Record(promotion)) => (promotion.earlier_holds.len(), promotion.releases),
        other => panic!("{other:?}"),
    };
    assert_eq!(carried(&state(digest(), over), &promote), (0, vec![]));
    assert_eq!(carried(&state(Digest::of(b"bad"), None), &promote), (1, vec![]));
    let release = Step {
        release_hold: true,
        ..promote
    };
    assert_eq!(carried(&state(digest(), None), &release), (0, vec![digest()]));
}
