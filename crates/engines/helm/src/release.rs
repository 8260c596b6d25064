//! Release records: what Helm stores of every revision of a release.

mod chart;
mod decode;
mod digest;
mod encode;
mod labels;
mod name;

pub use chart::ChartRecord;
pub use decode::DecodeError;
pub use digest::{SnapshotDigest, config_digest};
pub(crate) use encode::{lock, metadata};
pub use labels::{SECRET_TYPE, SYSTEM_LABELS, storage_labels, storage_name};
pub use name::{NameError, flux_name, validate_name};

use std::collections::BTreeMap;

use crate::time::Time;

use crate::manifest::Hook;
use crate::values::Table;

/// Where a release stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// Nobody knows.
    #[default]
    Unknown,
    /// It is what runs.
    Deployed,
    /// It was removed.
    Uninstalled,
    /// A later revision took its place.
    Superseded,
    /// It did not come about.
    Failed,
    /// It is being removed.
    Uninstalling,
    /// It is being installed.
    PendingInstall,
    /// It is being upgraded.
    PendingUpgrade,
    /// It is being rolled back.
    PendingRollback,
    /// A word that this version does not know; kept for the record.
    Other(String),
}

const STATUSES: &[(Status, &str)] = &[
    (Status::Unknown, "unknown"),
    (Status::Deployed, "deployed"),
    (Status::Uninstalled, "uninstalled"),
    (Status::Superseded, "superseded"),
    (Status::Failed, "failed"),
    (Status::Uninstalling, "uninstalling"),
    (Status::PendingInstall, "pending-install"),
    (Status::PendingUpgrade, "pending-upgrade"),
    (Status::PendingRollback, "pending-rollback"),
];

impl Status {
    /// As the record and the label write it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Other(name) => name,
            known => STATUSES
                .iter()
                .find(|(status, _)| status == known)
                .map_or("", |(_, name)| name),
        }
    }

    /// Reads what a record says.
    pub fn parse(name: &str) -> Self {
        STATUSES
            .iter()
            .find(|(_, known)| *known == name)
            .map_or_else(|| Self::Other(name.to_owned()), |(status, _)| status.clone())
    }

    /// Whether an action is under way, or was broken off.
    pub fn is_pending(&self) -> bool {
        matches!(
            self,
            Self::PendingInstall | Self::PendingUpgrade | Self::PendingRollback
        )
    }
}

/// What happened to a release.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// When its first revision was deployed.
    pub first_deployed: Option<Time>,
    /// When this revision was.
    pub last_deployed: Option<Time>,
    /// When it was removed.
    pub deleted: Option<Time>,
    /// A sentence for people.
    pub description: String,
    /// Where it stands.
    pub status: Status,
    /// The rendered NOTES.txt.
    pub notes: String,
}

/// How the objects of a release were applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplyMethod {
    /// By the client, with a three-way merge; also what a record without a method means.
    Client,
    /// By the server.
    Server,
}

impl ApplyMethod {
    /// As the record writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "csa",
            Self::Server => "ssa",
        }
    }
}

/// A revision of a release.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Release {
    /// Its name.
    pub name: String,
    /// What happened to it.
    pub info: Option<Info>,
    /// The chart, without its subcharts.
    pub chart: Option<ChartRecord>,
    /// The values that it was given.
    pub config: Option<Table>,
    /// Its objects, without hooks.
    pub manifest: String,
    /// Its hooks.
    pub hooks: Vec<Hook>,
    /// The revision, from 1.
    pub version: i64,
    /// Its namespace.
    pub namespace: String,
    /// Labels that were asked for; they are not part of the record, but of the object that holds it.
    pub labels: BTreeMap<String, String>,
    /// How it was applied, as written.
    pub apply_method: String,
}

impl Release {
    /// How it was applied.
    pub fn apply_method(&self) -> ApplyMethod {
        if self.apply_method == "ssa" {
            ApplyMethod::Server
        } else {
            ApplyMethod::Client
        }
    }

    /// The status of its info; unknown without one.
    pub fn status(&self) -> Status {
        self.info
            .as_ref()
            .map_or(Status::Unknown, |info| info.status.clone())
    }
}
