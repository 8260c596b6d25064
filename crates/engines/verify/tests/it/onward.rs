//! Whether somebody who goes forward only takes what a registry offers.

use std::cmp::Ordering;

use serde_json::{Value, json};
use weir_oci::Digest;
use weir_standin_sigstore::{Holder, Rekor, Sigstore};
use weir_verify::{
    Action, Admitted, Asks, Authorities, Authority, Demands, Follows, FoundBundle, Identity, IdentityPolicy,
    Lack, Mode, NotOnward, Offer, PROMOTION_PREDICATE, Policy, Promotion, Rule, SignatureSet, Standing,
    Statement, TrustRoot, admit, onward, records_of,
};

use crate::cases::{digest, now, target};
use crate::promotions::{ISSUER, SUBJECT, examined, hold, promotion};

fn earlier() -> Digest {
    Digest::of(b"what was taken before")
}

/// At what was taken before.
fn at(tag: &str, record: Option<Promotion>) -> Standing {
    Standing {
        repository: target().repository().clone(),
        tag: tag.parse().unwrap(),
        digest: Some(earlier()),
        promotion: record,
    }
}

fn offer(tag: &str, follows: Follows) -> Offer {
    Offer {
        repository: target().repository().clone(),
        tag: tag.parse().unwrap(),
        digest: digest(),
        follows,
    }
}

/// What comes of the usual artifact, which has these records.
fn go(
    stands: Option<&Standing>,
    tag: &str,
    follows: Follows,
    records: &[Promotion],
) -> Result<Standing, NotOnward> {
    let statements: Vec<(&str, Value)> = records
        .iter()
        .map(|record| (SUBJECT, record.to_predicate()))
        .collect();
    let records = records_of(&examined(&statements), target().repository()).unwrap();
    onward(stands, &offer(tag, follows), &records, now())
}

fn rollback(tag: &str, sequence: u64, blocked: Digest, until: Option<&str>) -> Promotion {
    Promotion {
        action: Action::Rollback(hold(blocked, until)),
        ..promotion(tag, sequence)
    }
}

#[test]
fn n26_a_tag_goes_to_what_a_record_with_a_higher_number_says() {
    let tag = |stands: Option<&Standing>, records: &[Promotion]| go(stands, "stable", Follows::Tag, records);
    let stands = at("stable", Some(promotion("stable", 7)));
    let reached = tag(Some(&stands), &[promotion("stable", 8)]).unwrap();
    assert_eq!(reached.digest, Some(digest()));
    assert_eq!(reached.promotion.map(|record| record.sequence), Some(8));
    // Of several records the latest counts; those of other tags do not.
    tag(Some(&stands), &[promotion("stable", 3), promotion("stable", 9)]).unwrap();
    let old = tag(Some(&stands), &[promotion("stable", 6), promotion("latest", 9)]).unwrap_err();
    assert!(
        matches!(
            old,
            NotOnward::Backwards {
                found: 6,
                known: 7,
                ..
            }
        ),
        "{old}"
    );
    assert!(
        old.to_string().contains("by record 6, before record 7") && old.to_string().contains("--sequence 8"),
        "{old}"
    );
    let fork = tag(Some(&stands), &[promotion("stable", 7)]).unwrap_err();
    assert!(matches!(fork, NotOnward::Fork { sequence: 7, .. }), "{fork}");
    // An old artifact with a good signature and no record, or none for this tag.
    for records in [&[][..], &[promotion("latest", 9)]] {
        let none = tag(Some(&stands), records).unwrap_err();
        assert!(
            none.to_string()
                .contains("after record 7; move the tag with `weir publish` or `weir promote`"),
            "{none}"
        );
    }
    // Back on purpose, as a record says.
    let back = tag(
        Some(&stands),
        &[promotion("stable", 2), rollback("stable", 8, earlier(), None)],
    )
    .unwrap();
    assert_eq!(back.promotion.map(|record| record.sequence), Some(8));
}

#[test]
fn n26_who_is_nowhere_yet_needs_a_record_too_and_begins_anew_elsewhere() {
    let tag = |stands: Option<&Standing>, records: &[Promotion]| go(stands, "stable", Follows::Tag, records);
    assert!(matches!(
        tag(None, &[]),
        Err(NotOnward::NoRecord { known: None, .. })
    ));
    assert!(tag(None, &[promotion("stable", 1)]).is_ok());
    let other_tag = at("latest", Some(promotion("latest", 9)));
    assert!(tag(Some(&other_tag), &[promotion("stable", 1)]).is_ok());
    let elsewhere = Standing {
        repository: "registry.example/org/other".parse().unwrap(),
        ..at("stable", Some(promotion("stable", 9)))
    };
    assert!(tag(Some(&elsewhere), &[promotion("stable", 1)]).is_ok());
    assert!(tag(Some(&elsewhere), &[]).is_err());
}

#[test]
fn n26_what_is_there_already_stays_and_later_records_of_it_count() {
    let here = |record: Option<Promotion>| Standing {
        digest: Some(digest()),
        ..at("stable", record)
    };
    let tag = |stands: &Standing, records: &[Promotion]| {
        let reached = go(Some(stands), "stable", Follows::Tag, records).unwrap();
        assert_eq!(reached.digest, Some(digest()));
        reached.promotion.map(|record| record.sequence)
    };
    assert_eq!(tag(&here(None), &[]), None);
    assert_eq!(tag(&here(None), &[promotion("stable", 4)]), Some(4));
    assert_eq!(tag(&here(Some(promotion("stable", 4))), &[]), Some(4));
    // An older answer of the registry takes nothing back, a newer one counts.
    assert_eq!(
        tag(&here(Some(promotion("stable", 4))), &[promotion("stable", 3)]),
        Some(4)
    );
    assert_eq!(
        tag(&here(Some(promotion("stable", 4))), &[promotion("stable", 6)]),
        Some(6)
    );
}

#[test]
fn n26_what_is_held_back_does_not_come_again() {
    let back = at("stable", Some(rollback("stable", 8, digest(), None)));
    let held = go(Some(&back), "stable", Follows::Tag, &[promotion("stable", 9)]).unwrap_err();
    assert!(
        matches!(held, NotOnward::Held { .. }) && held.to_string().contains("weir promote --release-hold"),
        "{held}"
    );
    let released = Promotion {
        releases: vec![digest()],
        ..promotion("stable", 9)
    };
    go(Some(&back), "stable", Follows::Tag, &[released]).unwrap();
    let over = at(
        "stable",
        Some(rollback("stable", 8, digest(), Some("2026-10-01T00:00:00Z"))),
    );
    go(Some(&over), "stable", Follows::Tag, &[promotion("stable", 9)]).unwrap();
    // A record that contradicts itself.
    let own = rollback("stable", 9, digest(), None);
    assert!(matches!(
        go(None, "stable", Follows::Tag, &[own]),
        Err(NotOnward::Held { .. })
    ));
}

#[test]
fn n26_a_version_does_not_go_down_but_by_a_held_rollback() {
    let versions = |stands: Option<&Standing>, tag: &str, order, records: &[Promotion]| {
        go(stands, tag, Follows::Versions(order), records)
    };
    let stands = at("1.5.0", None);
    let reached = versions(Some(&stands), "1.6.0", Ordering::Greater, &[]).unwrap();
    assert_eq!((reached.tag.as_str(), reached.promotion), ("1.6.0", None));
    versions(None, "1.0.0", Ordering::Greater, &[]).unwrap();

    let down = versions(Some(&stands), "1.4.0", Ordering::Less, &[promotion("1.4.0", 9)]).unwrap_err();
    assert!(
        down.to_string().contains("version 1.4.0 is lower than 1.5.0"),
        "{down}"
    );
    let other_hold = rollback("1.5.0", 2, Digest::of(b"another"), None);
    assert!(versions(Some(&stands), "1.4.0", Ordering::Less, &[other_hold]).is_err());
    let over = rollback("1.5.0", 2, earlier(), Some("2026-10-01T00:00:00Z"));
    assert!(versions(Some(&stands), "1.4.0", Ordering::Less, &[over]).is_err());
    let held = rollback("1.5.0", 2, earlier(), None);
    let reached = versions(
        Some(&stands),
        "1.4.0",
        Ordering::Less,
        std::slice::from_ref(&held),
    )
    .unwrap();
    assert_eq!((reached.tag.as_str(), reached.promotion), ("1.4.0", Some(held)));

    // The same version is something else.
    let same = versions(Some(&stands), "1.5.0", Ordering::Equal, &[]).unwrap_err();
    assert!(same.to_string().contains("version 1.5.0 is sha256:"), "{same}");
    versions(
        Some(&stands),
        "1.5.0",
        Ordering::Equal,
        &[rollback("1.5.0", 2, earlier(), None)],
    )
    .unwrap();
    let known = at("1.5.0", Some(promotion("1.5.0", 3)));
    let old = versions(Some(&known), "1.5.0", Ordering::Equal, &[promotion("1.5.0", 2)]).unwrap_err();
    assert!(matches!(old, NotOnward::Backwards { .. }), "{old}");

    // Once there was a record, there must be one.
    let none = versions(Some(&known), "1.6.0", Ordering::Greater, &[]).unwrap_err();
    assert!(matches!(none, NotOnward::NoRecord { known: None, .. }), "{none}");
    versions(Some(&known), "1.6.0", Ordering::Greater, &[promotion("1.6.0", 1)]).unwrap();
    // The same artifact under a lower version is no move, and the higher version stays where it cannot go below.
    let here = Standing {
        digest: Some(digest()),
        ..at("1.5.0", None)
    };
    assert_eq!(versions(Some(&here), "1.4.0", Ordering::Less, &[]).unwrap(), here);
    // A chart whose digest nobody noted.
    let unknown = Standing {
        digest: None,
        ..at("1.5.0", None)
    };
    for tag in ["1.5.0", "v1.5.0"] {
        let reached = versions(Some(&unknown), tag, Ordering::Equal, &[]).unwrap();
        assert_eq!(reached.digest, Some(digest()));
    }
}

#[test]
fn a_standing_is_written_and_read_again() {
    for standing in [
        at("stable", None),
        at(
            "stable",
            Some(rollback("stable", 8, digest(), Some("2026-10-01T00:00:00Z"))),
        ),
        Standing {
            digest: None,
            ..at("1.0.0", None)
        },
    ] {
        assert_eq!(Standing::from_json(&standing.to_json()), Some(standing));
    }
    for wrong in [
        json!(null),
        json!({"repository": "registry.example/a"}),
        json!({"repository": "registry.example/a", "tag": "x", "digest": "junk"}),
        json!({"repository": "registry.example/a", "tag": "x", "record": {"sequence": 1}}),
    ] {
        assert_eq!(Standing::from_json(&wrong), None, "{wrong}");
    }
}

struct World {
    sigstore: Sigstore,
    set: SignatureSet,
}

impl World {
    fn signed() -> Self {
        let mut world = Self {
            sigstore: Sigstore::new("2026-01-01T00:00:00Z".parse().unwrap()),
            set: SignatureSet::default(),
        };
        world.add(SUBJECT, &Statement::cosign_signature(digest()));
        world
    }

    fn add(&mut self, subject: &str, statement: &Statement) {
        let holder = Holder::new(ISSUER, subject);
        let text = serde_json::to_vec(statement).unwrap();
        let time = "2026-02-01T00:00:00Z".parse().unwrap();
        let bundle = self.sigstore.sign_statement(&holder, &text, time, Rekor::V2);
        let content = bundle.to_string().into_bytes();
        self.set.bundles.push(FoundBundle {
            manifest: Digest::of(&content),
            content,
        });
    }

    fn record(&mut self, subject: &str, promotion: &Promotion) {
        let statement = Statement::about(&target(), PROMOTION_PREDICATE, promotion.to_predicate());
        self.add(subject, &statement);
    }

    fn authorities(&self) -> Authorities {
        let root = TrustRoot::from_json(self.sigstore.trusted_root().to_string().as_bytes()).unwrap();
        let identity = Identity::exact(ISSUER, SUBJECT).unwrap();
        let policy = Policy::Identities(IdentityPolicy::new(root, [identity]).unwrap());
        let one = Authority {
            name: "ci".to_owned(),
            policy,
        };
        Authorities::new(vec![one], Vec::new()).unwrap()
    }

    fn demands(&self, mode: Mode) -> Demands {
        let asks = Asks {
            records: Some(self.authorities()),
            ..Asks::from(self.authorities())
        };
        let rule = Rule {
            name: "forward".to_owned(),
            mode,
            asks: Ok(asks),
        };
        Demands {
            own: None,
            rules: vec![rule],
        }
    }
}

/// A status has no room for what a signer may write.
#[test]
fn long_remarks_are_not_remembered_whole() {
    let long = "é".repeat(1 << 20);
    let of = |text: &str| Promotion {
        by: text.to_owned(),
        reason: Some(text.to_owned()),
        from: Some(text.to_owned()),
        ..rollback("stable", 7, digest(), None)
    };
    let written = at("stable", Some(of(&long))).to_json();
    assert!(written.to_string().len() < 4000);
    let read = Standing::from_json(&written).unwrap();
    assert_eq!(read.promotion, Some(of(&"é".repeat(300))));
    assert_eq!(read.to_json(), written);
}

#[test]
fn n26_a_rule_lets_a_source_go_forward_only_and_an_audit_tells() {
    let mut world = World::signed();
    let stands = at("stable", Some(promotion("stable", 7)));
    let offer = offer("stable", Follows::Tag);
    // A record by a stranger says nothing.
    world.record("https://ci.example/mallory", &promotion("stable", 9));
    let judge = |world: &World, mode| {
        let admission = admit(&target(), &world.set, &world.demands(mode), now()).unwrap();
        admission.onward(Some(&stands), &offer, now())
    };
    let refused = judge(&world, Mode::Enforce).unwrap_err().to_string();
    assert!(
        refused.starts_with("refused by policy 'forward': it must go forward only, and no promotion record"),
        "{refused}"
    );
    // An audit lets it pass, and the source is where it was: the next look says the same.
    let (audited, standing) = judge(&world, Mode::Audit).unwrap();
    assert!(matches!(
        audited.concerns[0].lacks[0],
        Lack::Onward(NotOnward::NoRecord { .. })
    ));
    assert!(matches!(audited.admitted, Admitted::NotRequired(_)) && audited.met.is_empty());
    assert_eq!(standing, Some(stands.clone()));

    world.record(SUBJECT, &promotion("stable", 8));
    let (admitted, standing) = judge(&world, Mode::Enforce).unwrap();
    assert_eq!(standing.unwrap().promotion.unwrap().sequence, 8);
    assert!(
        admitted.met[0]
            .to_string()
            .ends_with("; stable is at record 8 (promote)"),
        "{}",
        admitted.met[0]
    );
    // A record that cannot be read may be the one that counts.
    let mut odd = promotion("stable", 9).to_predicate();
    odd["action"] = json!("freeze");
    world.add(SUBJECT, &Statement::about(&target(), PROMOTION_PREDICATE, odd));
    let refused = admit(&target(), &world.set, &world.demands(Mode::Enforce), now()).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("cannot be read: signed promotion record sha256:"),
        "{refused}"
    );
}

#[test]
fn n23_going_forward_only_has_a_fingerprint_of_its_own() {
    let world = World::signed();
    let with = world.demands(Mode::Enforce);
    let mut without = with.clone();
    without.rules[0].asks = Ok(Asks::from(world.authorities()));
    assert_ne!(with.fingerprint(), without.fingerprint());
    assert!(with.ask_for_attestations() && !without.ask_for_attestations());
    assert!(with.may_ask_for_records() && !without.may_ask_for_records());
    without.rules[0].asks = Err("unknown field".to_owned());
    assert!(without.may_ask_for_records());
}
