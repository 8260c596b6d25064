//! Built-in types that Kubernetes no longer wants.

mod table;

use super::Verdict;
use super::documents::Head;
use crate::capabilities::KubeVersion;

/// Whether a type is still welcome in a cluster of this version.
pub(super) fn check(head: &Head, cluster: &KubeVersion) -> Verdict {
    let (version, kind) = (head.api_version.as_str(), head.kind.as_str());
    let known = |row: &&table::Row| row.0 == version && row.1 == kind;
    let Some((_, _, deprecated, gone, instead)) = table::TABLE.iter().find(known) else {
        return Ok(());
    };
    let number = |text: &str| text.parse::<u32>().unwrap_or_default();
    let (major, minor) = (number(&cluster.major), number(&cluster.minor));
    // A version of zeros says nothing about the cluster.
    if (major, minor) != (0, 0) && (major, minor) < (1, *deprecated) {
        return Ok(());
    }
    let mut message =
        format!("{version} {kind} is deprecated in v1.{deprecated}+, unavailable in v1.{gone}+");
    if !instead.is_empty() {
        message.push_str("; use ");
        message.push_str(instead);
    }
    Err(message.into())
}
