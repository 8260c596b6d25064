//! What several parties ask of one artifact.

use std::collections::BTreeSet;

use proptest::prelude::*;
use weir_verify::{
    Admission, Admitted, Authorities, Authority, COSIGN_SIGN_PREDICATE, Demands, Lack, Mode, NotAdmitted,
    Policy, PredicateTypes, Rule, SignatureSet, admit, verify,
};

use crate::cases::{keys, now, set, target};

/// A key that signed the usual artifact, and one that did not.
const GOOD: &str = "p256";
const OTHER: &str = "ed25519";

fn policy(key: &str) -> Policy {
    Policy::Keys(keys(&[key]))
}

fn authority(key: &str) -> Authority {
    Authority {
        name: key.to_owned(),
        policy: policy(key),
    }
}

fn rule(name: &str, mode: Mode, any_of: &[&str], all_of: &[&str]) -> Rule {
    let list = |names: &[&str]| names.iter().map(|name| authority(name)).collect();
    Rule {
        name: name.to_owned(),
        mode,
        asks: Ok(Authorities::new(list(any_of), list(all_of)).unwrap().into()),
    }
}

fn signed() -> SignatureSet {
    set(&["good-p256", "good-rsa"], &[])
}

fn judge(own: Option<&str>, rules: Vec<Rule>) -> Result<Admission, NotAdmitted> {
    let demands = Demands {
        own: own.map(policy),
        rules,
    };
    admit(&target(), &signed(), &demands, now())
}

#[test]
fn a_rule_adds_to_what_a_source_asks_for_and_never_replaces_it() {
    let enforced = |key: &str| vec![rule("org", Mode::Enforce, &[key], &[])];
    let both = judge(Some(GOOD), enforced("rsa")).unwrap();
    assert!(matches!(both.admitted, Admitted::Verified(_)));
    assert_eq!(
        both.own.unwrap().signer.to_string().split(' ').next(),
        Some("key")
    );
    assert_eq!(both.met.len(), 1);

    let refused = judge(Some(GOOD), enforced(OTHER)).unwrap_err();
    assert_eq!(refused.own, None);
    assert!(
        refused.to_string().starts_with(
            "refused by policy 'org': authority 'ed25519': no matching signatures were found for"
        ),
        "{refused}"
    );
    // Each signature that was found is named, with why it does not count.
    assert_eq!(
        refused.to_string().matches("signature is not by the key").count(),
        2
    );

    let own = judge(Some(OTHER), enforced(GOOD)).unwrap_err();
    assert!(own.own.is_some() && own.unmet.is_empty(), "{own}");
    let neither = judge(Some(OTHER), enforced(OTHER)).unwrap_err();
    assert!(neither.own.is_some() && neither.unmet.len() == 1, "{neither}");
    assert_eq!(neither.to_string().lines().count(), 2);
}

#[test]
fn without_a_policy_of_its_own_an_artifact_is_verified_by_the_rule() {
    let by_rule = judge(None, vec![rule("org", Mode::Enforce, &[GOOD], &[])]).unwrap();
    assert!(by_rule.own.is_none());
    let evidence = by_rule.admitted.evidence().unwrap();
    assert!(evidence.to_string().contains("p256"), "{evidence}");
    assert_eq!(
        by_rule.met[0].to_string(),
        format!("authority 'p256': {evidence}")
    );
    assert!(judge(None, vec![rule("org", Mode::Enforce, &[OTHER], &[])]).is_err());
    assert!(matches!(
        judge(None, Vec::new()).unwrap().admitted,
        Admitted::NotRequired(_)
    ));
}

#[test]
fn n39_one_of_any_and_every_one_of_all_must_have_signed() {
    let holds = |any: &[&str], all: &[&str]| judge(None, vec![rule("org", Mode::Enforce, any, all)]).is_ok();
    assert!(holds(&[OTHER, GOOD], &[]));
    assert!(!holds(&[OTHER, "other"], &[]));
    assert!(holds(&[], &[GOOD, "rsa"]));
    assert!(!holds(&[], &[GOOD, OTHER]));
    assert!(holds(&[OTHER, "rsa"], &[GOOD]));
    assert!(!holds(&[GOOD], &[OTHER]));
    assert!(!holds(&[OTHER], &[GOOD]));
    assert!(Authorities::new(Vec::new(), Vec::new()).is_err());

    let refused = judge(
        None,
        vec![rule("org", Mode::Enforce, &["other", OTHER], &["p384"])],
    )
    .unwrap_err();
    let [unmet] = refused.unmet.as_slice() else {
        panic!("{refused}")
    };
    assert_eq!(unmet.lacks.len(), 2);
    // Two authorities with one answer are named together.
    assert!(
        refused.to_string().contains("authority 'other' or 'ed25519': no"),
        "{refused}"
    );
}

#[test]
fn an_audited_rule_admits_and_says_what_it_would_refuse() {
    let audited = judge(None, vec![rule("strict", Mode::Audit, &[OTHER], &[])]).unwrap();
    assert!(matches!(audited.admitted, Admitted::NotRequired(_)));
    assert_eq!(audited.concerns[0].rule, "strict");
    let says = audited.concerns[0].to_string();
    assert!(says.contains("not by the key"), "{audited:?}");

    let with_own = judge(Some(GOOD), vec![rule("strict", Mode::Audit, &[OTHER], &[])]).unwrap();
    assert!(matches!(with_own.admitted, Admitted::Verified(_)));
    assert_eq!(with_own.concerns.len(), 1);

    let met = judge(None, vec![rule("strict", Mode::Audit, &[GOOD], &[])]).unwrap();
    assert!(met.concerns.is_empty() && matches!(met.admitted, Admitted::Verified(_)));
}

#[test]
fn n45_a_rule_that_cannot_be_used_refuses_where_it_is_enforced() {
    let broken = |mode| Rule {
        name: "typo".to_owned(),
        mode,
        asks: Err("unknown field `anyof`".to_owned()),
    };
    let refused = judge(Some(GOOD), vec![broken(Mode::Enforce)]).unwrap_err();
    assert!(
        refused.to_string().contains("policy 'typo'")
            && refused.to_string().contains("unknown field `anyof`"),
        "{refused}"
    );
    let audited = judge(Some(GOOD), vec![broken(Mode::Audit)]).unwrap();
    assert!(matches!(audited.concerns[0].lacks[0], Lack::Unusable(_)));
}

#[test]
fn n36_signatures_that_cannot_be_looked_at_are_none() {
    let demands = |own: Option<&str>, mode| Demands {
        own: own.map(policy),
        rules: vec![rule("org", mode, &[GOOD], &[])],
    };
    let why = "the registry is down";
    assert!(demands(None, Mode::Enforce).unsigned(why).is_err());
    assert!(demands(Some(GOOD), Mode::Audit).unsigned(why).is_err());
    assert_eq!(demands(None, Mode::Audit).unsigned(why).unwrap().len(), 1);
    assert!(Demands::default().unsigned(why).unwrap().is_empty());
}

#[test]
fn n37_an_attestation_by_the_right_key_is_no_signature_where_signatures_are_asked_for() {
    let signature = PredicateTypes::OneOf(BTreeSet::from([COSIGN_SIGN_PREDICATE.to_owned()]));
    let strict = |bundle: &str| {
        let one = Authority {
            name: "ci".to_owned(),
            policy: policy(GOOD).with_predicate_types(signature.clone()),
        };
        let rule = Rule {
            name: "org".to_owned(),
            mode: Mode::Enforce,
            asks: Ok(Authorities::new(vec![one], Vec::new()).unwrap().into()),
        };
        let demands = Demands {
            own: None,
            rules: vec![rule],
        };
        admit(&target(), &set(&[bundle], &[]), &demands, now()).is_ok()
    };
    assert!(strict("good-p256"));
    assert!(!strict("good-provenance"));
}

#[test]
fn n23_every_part_of_what_is_asked_has_a_fingerprint_of_its_own() {
    let print = |own: Option<&str>, rules: &[Rule]| {
        Demands {
            own: own.map(policy),
            rules: rules.to_vec(),
        }
        .fingerprint()
    };
    let one = || rule("org", Mode::Enforce, &[GOOD], &[]);
    let broken = |why: &str| Rule {
        asks: Err(why.to_owned()),
        ..one()
    };
    let all = [
        print(None, &[]),
        print(Some(GOOD), &[]),
        print(None, &[one()]),
        print(Some(GOOD), &[one()]),
        print(Some(OTHER), &[one()]),
        print(None, &[rule("team", Mode::Enforce, &[GOOD], &[])]),
        print(None, &[rule("org", Mode::Audit, &[GOOD], &[])]),
        print(None, &[rule("org", Mode::Enforce, &[OTHER], &[])]),
        print(None, &[rule("org", Mode::Enforce, &[], &[GOOD])]),
        print(None, &[rule("org", Mode::Enforce, &[GOOD, OTHER], &[])]),
        print(None, &[rule("org", Mode::Enforce, &[GOOD], &[OTHER])]),
        print(None, &[one(), one()]),
        print(None, &[broken("a")]),
        print(None, &[broken("b")]),
    ];
    let different: BTreeSet<_> = all.iter().collect();
    assert_eq!(different.len(), all.len());
    // A source that nobody asks more of keeps the verdict that its status remembers.
    assert_eq!(print(Some(GOOD), &[]), policy(GOOD).fingerprint());
}

prop_compose! {
    fn any_rule()(
        name in "[a-z]{1,4}",
        audited: bool,
        any_of in proptest::collection::vec(0_usize..4, 0..3),
        all_of in proptest::collection::vec(0_usize..4, 0..3),
        broken in proptest::bool::weighted(0.1),
    ) -> Rule {
        let pool = ["p256", "rsa", "ed25519", "other"];
        let list = |indexes: &[usize]| indexes.iter().map(|index| authority(pool[*index])).collect();
        let asks = if broken {
            Err("broken".to_owned())
        } else {
            let authorities = Authorities::new(list(&any_of), list(&all_of));
            authorities.map(Into::into).map_err(|error| error.to_string())
        };
        let mode = if audited { Mode::Audit } else { Mode::Enforce };
        Rule { name, mode, asks }
    }
}

proptest! {
    #[test]
    fn no_rules_admit_what_the_own_policy_or_any_enforced_rule_refuses(
        own in proptest::option::of(0_usize..4),
        rules in proptest::collection::vec(any_rule(), 0..4),
    ) {
        let own = own.map(|index| policy(["p256", "rsa", "ed25519", "other"][index]));
        let alone = |demands: &Demands| admit(&target(), &signed(), demands, now());
        let whole = alone(&Demands { own: own.clone(), rules: rules.clone() });
        let own_holds = own.as_ref().is_none_or(|own| verify(&target(), &signed(), own, now()).is_ok());
        let rules_hold = rules.iter().filter(|rule| rule.mode == Mode::Enforce).all(|rule| {
            alone(&Demands { own: None, rules: vec![rule.clone()] }).is_ok()
        });
        prop_assert_eq!(whole.is_ok(), own_holds && rules_hold);
        if let Ok(admission) = whole {
            // Verified means that somebody's signature was asked for and found.
            prop_assert_eq!(
                matches!(admission.admitted, Admitted::Verified(_)),
                admission.own.is_some() || !admission.met.is_empty()
            );
            prop_assert_eq!(admission.met.len() + admission.concerns.len(), rules.len());
        }
    }
}
