//! Attestations that rules ask for.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use weir_standin_sigstore::{Holder, Rekor, Sigstore};
use weir_verify::{
    Admission, Asks, Attestation, Authorities, Authority, Condition, DEFAULT_BUNDLE_BYTES, Demands, Fails,
    FoundBundle, Identity, IdentityPolicy, Layout, Mode, NotAdmitted, Policy, PredicateTypes, Refused,
    Rejection, Rule, SignatureSet, Statement, TrustRoot, admit, admit_ahead,
};

use crate::cases::{bundle, keys, now, target};

const ISSUER: &str = "https://ci.example";
const CI: &str = "https://ci.example/org/app/release.yml@refs/heads/main";
const OTHER: &str = "https://ci.example/org/other/release.yml@refs/heads/main";
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Holds where the predicate has this builder; cannot be told where it names none.
#[derive(Debug)]
struct Builder(&'static str);

impl Condition for Builder {
    fn text(&self) -> &str {
        self.0
    }

    fn depends_on_time(&self) -> bool {
        false
    }

    fn check(&self, statement: &Statement, _now: Timestamp) -> Result<(), Fails> {
        let builder = statement.predicate.get("builder");
        match builder {
            None => Err(Fails::Undecided("no such key: builder".to_owned())),
            Some(builder) if builder == self.0 => Ok(()),
            Some(builder) => Err(Fails::False(format!("predicate.builder is {builder}"))),
        }
    }
}

/// Holds until a time.
#[derive(Debug)]
struct Before(&'static str);

impl Condition for Before {
    fn text(&self) -> &str {
        self.0
    }

    fn depends_on_time(&self) -> bool {
        true
    }

    fn check(&self, _statement: &Statement, now: Timestamp) -> Result<(), Fails> {
        if now < at(self.0) {
            Ok(())
        } else {
            Err(Fails::False("it is too late".to_owned()))
        }
    }
}

struct World {
    sigstore: Sigstore,
    set: SignatureSet,
}

impl World {
    /// An artifact that the identity has signed, and nothing else.
    fn signed() -> Self {
        let mut world = Self {
            sigstore: Sigstore::new(at("2026-01-01T00:00:00Z")),
            set: SignatureSet::default(),
        };
        let statement = serde_json::to_value(Statement::cosign_signature(target().digest())).unwrap();
        world.add(CI, &statement, "2026-02-01T00:00:00Z");
        world
    }

    fn add(&mut self, subject: &str, statement: &Value, time: &str) {
        let holder = Holder::new(ISSUER, subject);
        let text = statement.to_string();
        let bundle = self
            .sigstore
            .sign_statement(&holder, text.as_bytes(), at(time), Rekor::V2);
        let content = bundle.to_string().into_bytes();
        self.set.bundles.push(FoundBundle {
            manifest: weir_oci::Digest::of(&content),
            content,
        });
    }

    fn state(&mut self, subject: &str, kind: &str, predicate: Value, time: &str) {
        let statement = Statement::about(&target(), kind, predicate);
        self.add(subject, &serde_json::to_value(statement).unwrap(), time);
    }

    fn authorities(&self, subject: &str) -> Authorities {
        let root = TrustRoot::from_json(self.sigstore.trusted_root().to_string().as_bytes()).unwrap();
        let identity = Identity::exact(ISSUER, subject).unwrap();
        let policy = Policy::Identities(IdentityPolicy::new(root, [identity]).unwrap());
        let one = Authority {
            name: "ci".to_owned(),
            policy,
        };
        Authorities::new(vec![one], Vec::new()).unwrap()
    }

    fn attestation(&self, builder: Option<&'static str>, max_age: Option<SignedDuration>) -> Attestation {
        Attestation {
            authorities: self.authorities(CI),
            predicate_type: PROVENANCE.parse().unwrap(),
            conditions: builder
                .map(|builder| Arc::new(Builder(builder)) as Arc<dyn Condition>)
                .into_iter()
                .collect(),
            max_age,
            max_bytes: DEFAULT_BUNDLE_BYTES,
        }
    }

    fn judge(&self, attestation: Attestation) -> Result<Admission, NotAdmitted> {
        admit(
            &target(),
            &self.set,
            &demands(self.authorities(CI), vec![attestation]),
            now(),
        )
    }
}

fn demands(authorities: Authorities, attestations: Vec<Attestation>) -> Demands {
    let asks = Asks {
        attestations,
        ..Asks::from(authorities)
    };
    let rule = Rule {
        name: "built".to_owned(),
        mode: Mode::Enforce,
        asks: Ok(asks),
    };
    Demands {
        own: None,
        rules: vec![rule],
    }
}

#[test]
fn n37_what_is_asked_for_must_be_stated_of_this_artifact_by_the_authority() {
    let good = json!({"builder": "ci"});
    let refused = |world: &World, why: &str| {
        let refusal = world.judge(world.attestation(Some("ci"), None)).unwrap_err();
        let text = refusal.to_string();
        assert!(
            text.contains("refused by policy 'built': attestation slsaprovenance1 (https://slsa.dev/provenance/v1) is missing")
                && text.contains(why),
            "{why}: {text}"
        );
    };
    let mut world = World::signed();
    refused(&world, "of authority 'ci': nothing of this kind was found");
    // By somebody else, of another kind, about something else, saying something else, saying nothing.
    world.state(OTHER, PROVENANCE, good.clone(), "2026-02-01T00:00:00Z");
    refused(&world, "none of the identities");
    world.state(
        CI,
        "https://spdx.dev/Document",
        good.clone(),
        "2026-02-01T00:00:00Z",
    );
    refused(&world, "none of the identities");
    let mut other = serde_json::to_value(Statement::about(&target(), PROVENANCE, good.clone())).unwrap();
    other["subject"][0]["digest"]["sha256"] = json!("0".repeat(64));
    world.add(CI, &other, "2026-02-01T00:00:00Z");
    refused(&world, "signed for another artifact");
    world.state(
        CI,
        PROVENANCE,
        json!({"builder": "laptop"}),
        "2026-02-01T00:00:00Z",
    );
    refused(&world, "'ci' is false: predicate.builder is \"laptop\"");
    world.state(CI, PROVENANCE, json!({}), "2026-02-01T00:00:00Z");
    refused(&world, "'ci' cannot be told: no such key: builder");
    world.state(CI, PROVENANCE, good, "2026-02-01T00:00:00Z");
    let admission = world.judge(world.attestation(Some("ci"), None)).unwrap();
    assert!(
        admission.met[0].to_string().contains(
            "; attestation slsaprovenance1 (https://slsa.dev/provenance/v1) by authority 'ci': \"https://ci.example/org/app"
        ) && admission.met[0].to_string().ends_with(", 1 expression true"),
        "{}",
        admission.met[0]
    );
    assert_eq!(admission.until, None);
}

#[test]
fn n37_an_attestation_does_not_stand_for_the_signature() {
    let mut world = World::signed();
    world.state(CI, PROVENANCE, json!({"builder": "ci"}), "2026-02-01T00:00:00Z");
    world.set.bundles.remove(0);
    let sign = PredicateTypes::OneOf([weir_verify::COSIGN_SIGN_PREDICATE.to_owned()].into());
    let strict = Authority {
        name: "ci".to_owned(),
        policy: Policy::Keys(keys(&["p256"])).with_predicate_types(sign),
    };
    let strict = Authorities::new(vec![strict], Vec::new()).unwrap();
    let demands = demands(strict, vec![world.attestation(Some("ci"), None)]);
    assert!(admit(&target(), &world.set, &demands, now()).is_err());
    // With a signature by the key it does.
    world.set.bundles.push(bundle("good-p256"));
    assert!(admit(&target(), &world.set, &demands, now()).is_ok());
}

#[test]
fn an_attestation_may_be_too_old_and_a_verdict_ends_with_it() {
    let mut world = World::signed();
    world.state(CI, PROVENANCE, json!({}), "2026-02-01T00:00:00Z");
    let age = now().duration_since(at("2026-02-01T00:00:00Z"));
    let day = SignedDuration::from_hours(24);
    let young = world.judge(world.attestation(None, Some(age + day))).unwrap();
    let until = young.until.unwrap();
    assert!(until >= now() && until <= now() + day + day, "{until}");
    assert!(demands(world.authorities(CI), vec![world.attestation(None, Some(day))]).depend_on_time());
    assert!(!demands(world.authorities(CI), vec![world.attestation(None, None)]).depend_on_time());
    let old = world.judge(world.attestation(None, Some(age - day))).unwrap_err();
    let text = old.to_string();
    assert!(
        text.contains("(when it was signed), which is more than"),
        "{text}"
    );

    // Where the kind has a time of its own, that counts: it was signed long after.
    let finished = |time: &str| json!({"runDetails": {"metadata": {"finishedOn": time}}});
    let week = Some(day * 7);
    let judge = |predicate: Value| {
        let mut world = World::signed();
        world.state(CI, PROVENANCE, predicate, "2026-02-01T00:00:00Z");
        world.judge(world.attestation(None, week))
    };
    let fresh = judge(finished("2026-10-30T00:00:00Z")).unwrap();
    assert_eq!(fresh.until, Some(at("2026-11-06T00:00:00Z")));
    let stale = judge(finished("2026-10-20T00:00:00Z")).unwrap_err().to_string();
    assert!(
        stale.contains("it is of 2026-10-20T00:00:00Z (runDetails.metadata.finishedOn)"),
        "{stale}"
    );
    let early = judge(finished("2026-11-02T00:00:00Z")).unwrap_err().to_string();
    assert!(early.contains("which is yet to come"), "{early}");
    let odd = judge(finished("yesterday")).unwrap_err().to_string();
    assert!(
        odd.contains("`runDetails.metadata.finishedOn` is no time"),
        "{odd}"
    );
}

#[test]
fn n23_a_verdict_that_an_expression_ties_to_the_time_holds_for_that_time_only() {
    let mut world = World::signed();
    world.state(CI, PROVENANCE, json!({}), "2026-02-01T00:00:00Z");
    let tied = Attestation {
        conditions: vec![Arc::new(Before("2026-11-01T00:00:01Z"))],
        ..world.attestation(None, None)
    };
    assert!(demands(world.authorities(CI), vec![tied.clone()]).depend_on_time());
    assert_eq!(world.judge(tied).unwrap().until, Some(now()));
    let over = Attestation {
        conditions: vec![Arc::new(Before("2026-11-01T00:00:00Z"))],
        ..world.attestation(None, None)
    };
    let refused = world.judge(over).unwrap_err().to_string();
    assert!(refused.contains("is false: it is too late"), "{refused}");
}

#[test]
fn n25_only_so_many_statements_are_looked_into() {
    let mut world = World::signed();
    for _ in 0..16 {
        world.state(
            CI,
            PROVENANCE,
            json!({"builder": "laptop"}),
            "2026-02-01T00:00:00Z",
        );
    }
    world.state(CI, PROVENANCE, json!({"builder": "ci"}), "2026-02-01T00:00:00Z");
    let refused = world
        .judge(world.attestation(Some("ci"), None))
        .unwrap_err()
        .to_string();
    // The message has an end, too.
    assert_eq!(refused.matches("is false").count(), 8, "{refused}");
    assert!(refused.ends_with(", and 9 more"), "{refused}");
}

#[test]
fn one_of_any_and_every_one_of_all_must_have_stated_it() {
    let mut world = World::signed();
    world.state(CI, PROVENANCE, json!({}), "2026-02-01T00:00:00Z");
    let judge = |any: &[&str], all: &[&str]| {
        let list = |subjects: &[&str]| -> Vec<Authority> {
            let root = TrustRoot::from_json(world.sigstore.trusted_root().to_string().as_bytes()).unwrap();
            let one = |subject: &&str| Authority {
                name: if *subject == CI { "ci" } else { "other" }.to_owned(),
                policy: Policy::Identities(
                    IdentityPolicy::new(root.clone(), [Identity::exact(ISSUER, *subject).unwrap()]).unwrap(),
                ),
            };
            subjects.iter().map(one).collect()
        };
        let attestation = Attestation {
            authorities: Authorities::new(list(any), list(all)).unwrap(),
            ..world.attestation(None, None)
        };
        admit(
            &target(),
            &world.set,
            &demands(world.authorities(CI), vec![attestation]),
            now(),
        )
    };
    assert!(judge(&[OTHER, CI], &[]).is_ok());
    assert!(judge(&[], &[CI]).is_ok());
    let refused = judge(&[CI], &[CI, OTHER]).unwrap_err().to_string();
    assert!(
        refused.contains("of authority 'other': ") && !refused.contains("of authority 'ci'"),
        "{refused}"
    );
    assert!(judge(&[OTHER], &[CI]).is_err());
}

#[test]
fn an_age_needs_a_proven_time() {
    let world = World::signed();
    let by_key = |max_age| {
        let one = Authority {
            name: "key".to_owned(),
            policy: Policy::Keys(keys(&["p256"])),
        };
        let attestation = Attestation {
            authorities: Authorities::new(vec![one.clone()], Vec::new()).unwrap(),
            ..world.attestation(None, max_age)
        };
        let set = SignatureSet {
            bundles: vec![bundle("good-p256"), bundle("good-provenance")],
            ..SignatureSet::default()
        };
        let authorities = Authorities::new(vec![one], Vec::new()).unwrap();
        admit(&target(), &set, &demands(authorities, vec![attestation]), now())
    };
    by_key(None).unwrap();
    let undated = by_key(Some(SignedDuration::MAX)).unwrap_err();
    assert!(
        undated.to_string().contains("its age is asked for, and neither"),
        "{undated}"
    );
}

#[test]
fn n25_an_attestation_that_is_too_large_is_refused_with_its_size() {
    let mut world = World::signed();
    world.state(CI, PROVENANCE, json!({"builder": "ci"}), "2026-02-01T00:00:00Z");
    let bytes = u64::try_from(world.set.bundles[1].content.len()).unwrap();
    let judge = |world: &World, max_bytes| {
        world.judge(Attestation {
            max_bytes,
            ..world.attestation(Some("ci"), None)
        })
    };
    judge(&world, bytes).unwrap();
    let why = format!("it has {bytes} bytes, and no more than {} are read", bytes - 1);
    let refused = judge(&world, bytes - 1).unwrap_err().to_string();
    assert!(refused.contains(&why), "{refused}");
    // The same where it was not even fetched.
    let found = world.set.bundles.remove(1);
    world.set.unread.push(Refused {
        layout: Layout::Bundle,
        source: found.manifest,
        reason: Rejection::TooLarge {
            bytes,
            limit: bytes - 1,
        },
    });
    let refused = judge(&world, bytes).unwrap_err().to_string();
    assert!(refused.contains(&why), "{refused}");
}

#[test]
fn n23_a_verdict_says_when_it_ends() {
    let mut world = World::signed();
    let made = json!({"runDetails": {"metadata": {"finishedOn": "2026-02-01T00:00:00Z"}}, "builder": "ci"});
    world.state(CI, PROVENANCE, made, "2026-02-01T00:00:00Z");
    let judge = |attestation, now, ahead| {
        let demands = demands(world.authorities(CI), vec![attestation]);
        admit_ahead(&target(), &world.set, &demands, at(now), ahead)
    };
    let (hour, day) = (SignedDuration::from_hours(1), SignedDuration::from_hours(24));
    let limited = || world.attestation(Some("ci"), Some(day));
    let admission = judge(limited(), "2026-02-01T12:00:00Z", hour).unwrap();
    assert_eq!(admission.until, Some(at("2026-02-02T00:00:00Z")));
    assert_eq!(admission.ends, Some(at("2026-02-02T00:00:00.001Z")));
    judge(limited(), "2026-02-02T00:00:00Z", hour).unwrap();
    judge(limited(), "2026-02-02T00:00:00.001Z", hour).unwrap_err();

    // A condition on the time holds for now only, but whether it does later can be asked.
    let before = || Attestation {
        conditions: vec![Arc::new(Before("2026-02-01T12:30:00Z"))],
        ..world.attestation(None, None)
    };
    let admission = judge(before(), "2026-02-01T12:00:00Z", hour).unwrap();
    assert_eq!(admission.until, Some(at("2026-02-01T12:00:00Z")));
    let ends = admission.ends.unwrap();
    assert!(
        ends >= at("2026-02-01T12:30:00Z") && ends <= at("2026-02-01T12:30:01Z"),
        "{ends}"
    );
    let sooner = judge(before(), "2026-02-01T12:00:00Z", SignedDuration::from_mins(10)).unwrap();
    assert_eq!(sooner.ends, None);
    judge(before(), "2026-02-01T12:31:00Z", hour).unwrap_err();

    // The first of several ends counts.
    let both = Attestation {
        max_age: Some(day),
        ..before()
    };
    assert_eq!(
        judge(both, "2026-02-01T12:00:00Z", hour).unwrap().ends,
        Some(ends)
    );
}

#[test]
fn n23_every_part_of_an_attestation_has_a_fingerprint_of_its_own() {
    let world = World::signed();
    let print = |attestations: Vec<Attestation>| demands(world.authorities(CI), attestations).fingerprint();
    let one = |builder, age| world.attestation(builder, age);
    let hour = Some(SignedDuration::from_hours(1));
    let kind = Attestation {
        predicate_type: "openvex".parse().unwrap(),
        ..one(None, None)
    };
    let by = Attestation {
        authorities: world.authorities(OTHER),
        ..one(None, None)
    };
    let small = Attestation {
        max_bytes: 1,
        ..one(None, None)
    };
    let all = [
        print(Vec::new()),
        print(vec![one(None, None)]),
        print(vec![one(Some("a"), None)]),
        print(vec![one(Some("b"), None)]),
        print(vec![one(None, hour)]),
        print(vec![one(None, None), one(None, None)]),
        print(vec![kind]),
        print(vec![by]),
        print(vec![small]),
    ];
    let different: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!(different.len(), all.len());
}
