//! Which sources a policy is about.

use std::collections::BTreeMap;

use serde_json::Value;
use weir_apis::Object;
use weir_apis::kind::PolicyMatch;
use weir_verify::Prefix;

/// Where a source is.
#[derive(Debug, Clone)]
pub struct Place<'p> {
    /// Its kind.
    pub kind: &'p str,
    /// Its namespace.
    pub namespace: &'p str,
    /// The address that it takes artifacts from.
    pub url: &'p str,
    /// The labels of its namespace. `None`: they are not known, and every selector takes it for its own, since a policy can
    /// only refuse.
    pub labels: Option<Labels>,
}

/// The labels of a namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels(BTreeMap<String, String>);

impl Labels {
    /// The labels of an object.
    pub fn of(object: &Object) -> Self {
        let labels = object.metadata().and_then(|m| m.get("labels")?.as_object());
        let text = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
        Self(labels.into_iter().flatten().filter_map(text).collect())
    }
}

/// The sources that a policy is about.
#[derive(Debug, Clone)]
pub struct Scope(Result<Vec<Entry>, String>);

#[derive(Debug, Clone)]
struct Entry {
    said: PolicyMatch,
    prefix: Option<Prefix>,
}

impl Scope {
    /// Reads `spec.match` of a policy. One that cannot be read is about every source: what was meant is not known, and a policy
    /// that holds nowhere would go unnoticed.
    pub fn of(policy: &Object) -> Self {
        Self(read(policy))
    }

    /// Why it cannot be read.
    pub fn problem(&self) -> Option<&str> {
        self.0.as_ref().err().map(String::as_str)
    }

    /// Whether a source is meant.
    pub fn covers(&self, place: &Place<'_>) -> bool {
        match &self.0 {
            Ok(entries) => entries.iter().any(|entry| entry.covers(place)),
            Err(_) => true,
        }
    }

    pub(super) fn asks_for_labels(&self) -> bool {
        let asks = |entry: &Entry| {
            let namespaces = entry.said.namespaces.as_ref();
            namespaces.is_some_and(|namespaces| !namespaces.match_labels.is_empty())
        };
        self.0.as_ref().is_ok_and(|entries| entries.iter().any(asks))
    }
}

fn read(policy: &Object) -> Result<Vec<Entry>, String> {
    let said = policy.get(&["spec", "match"]).cloned().unwrap_or_default();
    let said: Vec<PolicyMatch> =
        serde_json::from_value(said).map_err(|error| format!("spec.match: {error}"))?;
    if said.is_empty() {
        return Err("spec.match is empty; an entry without fields means every source".to_owned());
    }
    let entries = said.into_iter().enumerate().map(|(index, said)| {
        let prefix = said.url_prefix.as_deref().map(str::parse::<Prefix>).transpose();
        let prefix = prefix.map_err(|error| format!("spec.match[{index}].urlPrefix: {error}"))?;
        Ok(Entry { said, prefix })
    });
    entries.collect()
}

impl Entry {
    fn covers(&self, place: &Place<'_>) -> bool {
        let Self { said, prefix } = self;
        let is_kind = said.kinds.is_empty() || said.kinds.iter().any(|kind| kind == place.kind);
        let is_there = prefix.as_ref().is_none_or(|prefix| prefix.covers(place.url));
        let is_theirs = said.namespaces.as_ref().is_none_or(|wanted| {
            let named = wanted.names.is_empty() || wanted.names.iter().any(|name| name == place.namespace);
            let labelled = place.labels.as_ref().is_none_or(|labels| {
                let mut wanted = wanted.match_labels.iter();
                wanted.all(|(name, value)| labels.0.get(name) == Some(value))
            });
            named && labelled
        });
        is_kind && is_there && is_theirs
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scope(matches: Value) -> Scope {
        let value = json!({"apiVersion": "weir.dev/v1alpha1", "kind": "VerificationPolicy",
            "metadata": {"name": "p"}, "spec": {"match": matches}});
        Scope::of(&Object::from_value(value).unwrap())
    }

    fn labels(team: &str) -> Labels {
        Labels(BTreeMap::from([("team".to_owned(), team.to_owned())]))
    }

    fn covers(matches: Value, kind: &str, namespace: &str, url: &str, labels: Option<Labels>) -> bool {
        scope(matches).covers(&Place {
            kind,
            namespace,
            url,
            labels,
        })
    }

    #[test]
    fn every_part_of_an_entry_must_fit_and_one_entry_is_enough() {
        let matches = json!([
            {"kinds": ["OCIRepository"], "urlPrefix": "oci://ghcr.io/org", "namespaces": {"names": ["a"]}},
            {"namespaces": {"matchLabels": {"team": "x"}}},
        ]);
        let fits =
            |kind, namespace, url, team| covers(matches.clone(), kind, namespace, url, Some(labels(team)));
        assert!(fits("OCIRepository", "a", "oci://ghcr.io/org/app", "y"));
        assert!(!fits("HelmChart", "a", "oci://ghcr.io/org/app", "y"));
        assert!(!fits("OCIRepository", "b", "oci://ghcr.io/org/app", "y"));
        assert!(!fits("OCIRepository", "a", "oci://ghcr.io/org-evil/app", "y"));
        assert!(fits("HelmChart", "b", "https://charts.example", "x"));
        // Labels that are not known do not let a source slip through.
        assert!(covers(matches, "HelmChart", "b", "https://charts.example", None));
        assert!(covers(
            json!([{}]),
            "HelmChart",
            "b",
            "oci://x.example/y",
            Some(labels("y"))
        ));
    }

    #[test]
    fn n45_a_match_that_cannot_be_read_is_about_every_source() {
        for matches in [
            json!([]),
            json!(null),
            json!([{"urlprefix": "oci://ghcr.io/org"}]),
            json!([{"urlPrefix": "ghcr.io/org"}]),
            json!([{"namespaces": {"labels": {}}}]),
        ] {
            assert!(scope(matches.clone()).problem().is_some(), "{matches}");
            assert!(
                covers(
                    matches.clone(),
                    "HelmChart",
                    "a",
                    "oci://x.example/y",
                    Some(labels("y"))
                ),
                "{matches}"
            );
        }
    }
}
