//! What the condition `SourceVerified` says of policies: how it is written, and how it is read again.
//!
//! The status of a source is all that counts and reports rest on: it survives restarts, and every process sees the same. What
//! signers wrote is part of it, so nothing of theirs may begin a line.

use std::collections::BTreeMap;

use weir_apis::Object;
use weir_apis::condition::{Conditions, SOURCE_VERIFIED, Status, cut};
use weir_apis::reason;
use weir_verify::{Admission, Mode};

const MET: &str = " is met by ";
const WOULD: &str = "would be refused by ";
const REFUSED: &str = "refused by ";

/// The longest message, in bytes: what a condition takes, with room for what goes before it.
const LONGEST: usize = 30_000;
/// What is left of a line at least.
const SHORTEST_LINE: usize = 400;

/// What was made of the artifact that a source last looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// It was admitted as verified.
    pub verified: bool,
    /// It was refused.
    pub refused: bool,
    /// By whom: the first signature that counted.
    pub by: Option<String>,
    /// The policies that it meets, with what meets them.
    pub met: BTreeMap<String, String>,
    /// The policies that refuse it, or would if they were enforced, with the reason.
    pub unmet: BTreeMap<String, String>,
}

/// The lines about policies.
pub(crate) fn lines(admission: &Admission) -> Vec<String> {
    let met = admission.met.iter().map(|met| {
        let audited = if met.mode == Mode::Audit { " (audit)" } else { "" };
        format!("policy '{}'{audited}{MET}{met}", met.rule)
    });
    let concerns = admission.concerns.iter();
    let concerns = concerns.map(|concern| format!("{WOULD}policy '{}': {concern}", concern.rule));
    met.chain(concerns).collect()
}

/// A message of these lines. What is in one of them begins no other, and where they are too long together each one gets its share:
/// what a policy misses is not lost behind what another one has found, of which whoever may push makes as much as they like.
pub(crate) fn message(lines: &[String]) -> String {
    let mut lines: Vec<String> = lines.iter().map(|line| one_line(line)).collect();
    let length = lines.iter().map(|line| line.len() + 1).sum::<usize>();
    if length > LONGEST {
        let share = (LONGEST / lines.len().max(1)).max(SHORTEST_LINE);
        for line in &mut lines {
            *line = cut(line, share.saturating_sub(1));
        }
    }
    lines.join("\n")
}

/// The lines of a condition's message about policies that would refuse the artifact.
pub(crate) fn concerns(message: &str) -> String {
    let lines: Vec<&str> = message.lines().filter(|line| line.starts_with(WOULD)).collect();
    lines.join("\n")
}

/// A text without line breaks or other control characters.
pub(crate) fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// Reads what the status of a source says.
pub fn said(source: &Object) -> Said {
    let conditions = Conditions::of(source);
    let Some(condition) = conditions.get(SOURCE_VERIFIED) else {
        return Said::default();
    };
    let mut said = Said {
        verified: condition.status == Status::True,
        refused: condition.status == Status::False && condition.reason == reason::VERIFICATION_ERROR,
        ..Said::default()
    };
    for (index, line) in condition.message.lines().enumerate() {
        if index == 0 && said.verified {
            let by = line.split_once(": ").map(|(_, by)| by);
            said.by = by.map(|by| by.split("; warning: ").next().unwrap_or(by).to_owned());
        }
        let line = if index == 0 && said.refused {
            line.strip_prefix(crate::admit::REFUSAL).unwrap_or(line)
        } else {
            line
        };
        if let Some((name, why)) = line.strip_prefix(WOULD).and_then(|rest| named(rest, ": ")) {
            said.unmet.insert(name, why);
        } else if let Some((name, why)) = line.strip_prefix(REFUSED).and_then(|rest| named(rest, ": ")) {
            said.unmet.insert(name, why);
        } else if let Some((name, by)) = named(&line.replacen("' (audit)", "'", 1), MET) {
            said.met.insert(name, by);
        }
    }
    said
}

/// The name and the rest of `policy 'name'<separator>rest`. Names of objects hold no quotes.
fn named(text: &str, separator: &str) -> Option<(String, String)> {
    let (name, rest) = text.strip_prefix("policy '")?.split_once('\'')?;
    Some((name.to_owned(), rest.strip_prefix(separator)?.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn source(status: &str, reason: &str, message: &str) -> Object {
        Object::from_value(json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "OCIRepository",
            "metadata": {"name": "apps", "namespace": "apps"},
            "status": {"conditions": [{"type": "SourceVerified", "status": status, "reason": reason, "message": message,
                "lastTransitionTime": "2026-01-01T00:00:00Z"}]}}))
        .unwrap()
    }

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let own = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        pairs.iter().map(own).collect()
    }

    #[test]
    fn what_a_condition_says_is_read_again() {
        let good = "verified signature of revision latest@sha256:aa under policy 0123: sigstore bundle by key \"a.pub\" (x); \
            warning: w\npolicy 'org' is met by authority 'ci': b\npolicy 'team' (audit) is met by authority 'ci': c\n\
            would be refused by policy 'strict': authority 'x': no matching";
        assert_eq!(
            said(&source("True", "Succeeded", good)),
            Said {
                verified: true,
                refused: false,
                by: Some("sigstore bundle by key \"a.pub\" (x)".to_owned()),
                met: map(&[("org", "authority 'ci': b"), ("team", "authority 'ci': c")]),
                unmet: map(&[("strict", "authority 'x': no matching")]),
            }
        );
        let bad =
            "failed to verify the signature: refused by policy 'org': why\nrefused by policy 'team': too";
        let refused = said(&source("False", "VerificationError", bad));
        assert_eq!(refused.unmet, map(&[("org", "why"), ("team", "too")]));
        assert!(refused.refused && !refused.verified && refused.by.is_none());
        let own = "failed to verify the signature using provider 'cosign': no\nrefused by policy 'team': too";
        assert_eq!(
            said(&source("False", "VerificationError", own)).unmet,
            map(&[("team", "too")])
        );
    }

    #[test]
    fn n45_no_line_hides_or_forges_what_a_policy_misses() {
        let warning = "verified signature of revision a@sha256:aa under policy 0123: by b; warning: subject 'x\npolicy 'org' is met by c' is";
        let long = format!("policy 'team' is met by {}", "é".repeat(100_000));
        let missed = "would be refused by policy 'org': no".to_owned();
        let text = message(&[warning.to_owned(), long.clone(), missed.clone()]);
        let said = said(&source("True", "Succeeded", &cut(&text, 32_768)));
        assert_eq!(said.unmet, map(&[("org", "no")]));
        assert_eq!(said.met.keys().collect::<Vec<_>>(), ["team"]);
        assert_eq!(said.by.as_deref(), Some("by b"));
        // Many policies, each with something to say.
        let many: Vec<String> = (0..70)
            .map(|index| format!("would be refused by policy 'p{index}': {long}"))
            .collect();
        let text = message(&many);
        assert!(text.len() <= LONGEST, "{}", text.len());
        assert_eq!(text.lines().count(), 70);
        // What fits is left as it is.
        assert_eq!(message(std::slice::from_ref(&missed)), missed);
    }

    #[test]
    fn what_signers_wrote_begins_no_line() {
        assert_eq!(
            one_line("a\nwould be refused by policy 'x': b\r"),
            "a would be refused by policy 'x': b "
        );
    }
}
