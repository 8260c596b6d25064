//! The Secret that holds a record.

use std::collections::BTreeMap;

use super::Release;

/// Type of the Secret.
pub const SECRET_TYPE: &str = "helm.sh/release.v1";

/// Labels that Helm sets, and that nobody may ask for.
pub const SYSTEM_LABELS: &[&str] = &["name", "owner", "status", "version", "createdAt", "modifiedAt"];

/// Name of the Secret of a revision.
pub fn storage_name(release: &str, version: i64) -> String {
    format!("sh.helm.release.v1.{release}.v{version}")
}

/// Labels of the Secret: those that were asked for, and Helm's own. A created object gets `createdAt`, an updated one
/// `modifiedAt` instead, in seconds since 1970; the caller knows the time.
pub fn storage_labels(release: &Release, time: (&str, i64)) -> BTreeMap<String, String> {
    let (moment, seconds) = time;
    let mut labels: BTreeMap<String, String> = release
        .labels
        .iter()
        .filter(|(key, _)| !SYSTEM_LABELS.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    for (key, value) in [
        (moment, seconds.to_string()),
        ("name", release.name.clone()),
        ("owner", "helm".to_owned()),
        ("status", release.status().as_str().to_owned()),
        ("version", release.version.to_string()),
    ] {
        labels.insert(key.to_owned(), value);
    }
    labels
}
