//! The record of a revision as actions write it: how it begins, and how it ends.

use std::collections::BTreeMap;

use crate::release::{ApplyMethod, Info, Release, Status};
use crate::render::Rendered;
use crate::time::Time;
use crate::values::Table;

/// What a new revision is made of.
#[derive(Debug)]
pub struct Start<'a> {
    /// Name of the release.
    pub name: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
    /// What was rendered.
    pub rendered: &'a Rendered,
    /// The values that it was given.
    pub values: &'a Table,
    /// Labels that were asked for.
    pub labels: &'a BTreeMap<String, String>,
    /// Who merges.
    pub method: ApplyMethod,
    /// The time.
    pub now: Time,
}

/// The first revision, before anything is applied. `last` is the one that it replaces.
pub fn install(start: Start<'_>, last: Option<&Release>) -> Release {
    let info = Info {
        first_deployed: Some(start.now),
        status: Status::PendingInstall,
        description: "Initial install underway".to_owned(),
        ..Info::default()
    };
    begin(&start, info, last.map_or(1, |last| last.version + 1))
}

/// The next revision, before anything is applied.
pub fn upgrade(start: Start<'_>, last: &Release, current: &Release) -> Release {
    let info = Info {
        first_deployed: first_deployed(current),
        status: Status::PendingUpgrade,
        description: "Preparing upgrade".to_owned(),
        ..Info::default()
    };
    begin(&start, info, last.version + 1)
}

fn begin(start: &Start<'_>, info: Info, version: i64) -> Release {
    Release {
        name: start.name.to_owned(),
        info: Some(Info {
            last_deployed: Some(start.now),
            notes: start.rendered.notes.clone(),
            ..info
        }),
        chart: Some(start.rendered.chart.clone()),
        config: Some(start.values.clone()),
        manifest: start.rendered.manifest(),
        hooks: start.rendered.hooks.clone(),
        version,
        namespace: start.namespace.to_owned(),
        labels: start.labels.clone(),
        apply_method: start.method.as_str().to_owned(),
    }
}

/// A revision that is `target` again, after `last`, before anything is applied.
pub fn rollback(last: &Release, target: &Release, method: ApplyMethod, now: Time) -> Release {
    Release {
        name: last.name.clone(),
        namespace: last.namespace.clone(),
        version: last.version + 1,
        apply_method: method.as_str().to_owned(),
        info: Some(Info {
            first_deployed: first_deployed(last),
            last_deployed: Some(now),
            deleted: None,
            status: Status::PendingRollback,
            description: format!("Rollback to {}", target.version),
            notes: target
                .info
                .as_ref()
                .map(|info| info.notes.clone())
                .unwrap_or_default(),
        }),
        ..target.clone()
    }
}

fn first_deployed(release: &Release) -> Option<Time> {
    release.info.as_ref().and_then(|info| info.first_deployed)
}

/// Another revision took its place. Without a description it keeps its own.
pub fn supersede(release: &mut Release, description: Option<&str>) {
    set(release, Status::Superseded, description);
}

/// It runs. Without a description it keeps its own.
pub fn deploy(release: &mut Release, description: Option<&str>) {
    set(release, Status::Deployed, description);
}

/// It did not come about.
pub fn fail(release: &mut Release, description: &str) {
    set(release, Status::Failed, Some(description));
}

/// Marks a revision whose action was broken off as failed, in Flux's words. `false`: no action was under way.
pub fn unlock(release: &mut Release) -> bool {
    let status = release.status();
    if !status.is_pending() {
        return false;
    }
    let description = format!("Release unlocked from stale '{}' state", status.as_str());
    fail(release, &description);
    true
}

fn set(release: &mut Release, status: Status, description: Option<&str>) {
    let info = release.info.get_or_insert_default();
    info.status = status;
    if let Some(description) = description {
        description.clone_into(&mut info.description);
    }
}

/// The labels of the next revision: those of the last, with those that are asked for over them; `null` takes one away.
pub fn merge_labels(
    last: &BTreeMap<String, String>,
    wanted: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut labels = last.clone();
    labels.extend(wanted.iter().map(|(key, value)| (key.clone(), value.clone())));
    labels.retain(|_, value| value != "null");
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Time {
        Time::parse(text).unwrap()
    }

    fn start<'a>(
        rendered: &'a Rendered,
        values: &'a Table,
        labels: &'a BTreeMap<String, String>,
    ) -> Start<'a> {
        Start {
            name: "web",
            namespace: "apps",
            rendered,
            values,
            labels,
            method: ApplyMethod::Server,
            now: time("2026-01-02T00:00:00Z"),
        }
    }

    #[test]
    fn revisions_count_on_and_remember_the_first_day() {
        let (rendered, values, labels) = (Rendered::default(), Table::new(), BTreeMap::new());
        let mut first = install(start(&rendered, &values, &labels), None);
        assert_eq!(
            (first.version, first.status(), first.apply_method.as_str()),
            (1, Status::PendingInstall, "ssa")
        );
        first.info.as_mut().unwrap().first_deployed = Some(time("2025-01-01T00:00:00Z"));
        deploy(&mut first, Some("Install complete"));
        let mut second = upgrade(start(&rendered, &values, &labels), &first, &first);
        assert_eq!((second.version, second.status()), (2, Status::PendingUpgrade));
        let info = second.info.clone().unwrap();
        assert_eq!(info.first_deployed, Some(time("2025-01-01T00:00:00Z")));
        assert_eq!(info.last_deployed, Some(time("2026-01-02T00:00:00Z")));
        fail(&mut second, "Upgrade \"web\" failed: no");
        let third = rollback(&second, &first, ApplyMethod::Client, time("2026-01-03T00:00:00Z"));
        assert_eq!(
            (third.version, third.apply_method.as_str(), third.status()),
            (3, "csa", Status::PendingRollback)
        );
        assert_eq!(third.info.unwrap().description, "Rollback to 1");
        let replaced = install(start(&rendered, &values, &labels), Some(&second));
        assert_eq!(replaced.version, 3);
    }

    #[test]
    fn only_what_is_pending_is_unlocked() {
        let (rendered, values, labels) = (Rendered::default(), Table::new(), BTreeMap::new());
        let mut release = install(start(&rendered, &values, &labels), None);
        assert!(unlock(&mut release));
        assert_eq!(release.status(), Status::Failed);
        assert_eq!(
            release.info.as_ref().unwrap().description,
            "Release unlocked from stale 'pending-install' state"
        );
        assert!(!unlock(&mut release));
    }

    #[test]
    fn null_takes_a_label_away() {
        let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect()
        };
        let merged = merge_labels(
            &map(&[("a", "1"), ("b", "2")]),
            &map(&[("b", "null"), ("c", "3")]),
        );
        assert_eq!(merged, map(&[("a", "1"), ("c", "3")]));
    }
}
