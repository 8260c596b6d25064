//! Hooks: objects that are created at certain points of a release's life and do not belong to its manifest.

use crate::time::Time;

/// When a hook runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// Before an installation.
    PreInstall,
    /// After it.
    PostInstall,
    /// Before a removal.
    PreDelete,
    /// After it.
    PostDelete,
    /// Before an upgrade.
    PreUpgrade,
    /// After it.
    PostUpgrade,
    /// Before a rollback.
    PreRollback,
    /// After it.
    PostRollback,
    /// When tests are asked for.
    Test,
}

const EVENTS: &[(Event, &str)] = &[
    (Event::PreInstall, "pre-install"),
    (Event::PostInstall, "post-install"),
    (Event::PreDelete, "pre-delete"),
    (Event::PostDelete, "post-delete"),
    (Event::PreUpgrade, "pre-upgrade"),
    (Event::PostUpgrade, "post-upgrade"),
    (Event::PreRollback, "pre-rollback"),
    (Event::PostRollback, "post-rollback"),
    (Event::Test, "test"),
];

impl Event {
    /// As the annotation `helm.sh/hook` and the release record write it.
    pub fn as_str(self) -> &'static str {
        EVENTS
            .iter()
            .find(|(event, _)| *event == self)
            .map_or("", |(_, name)| name)
    }

    /// Reads the name; `test-success` is an old one for `test`.
    pub fn parse(name: &str) -> Option<Self> {
        if name == "test-success" {
            return Some(Self::Test);
        }
        EVENTS
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(event, _)| *event)
    }
}

/// How the last run of a hook ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// It has not run. Written as the empty text.
    #[default]
    None,
    /// Nobody knows.
    Unknown,
    /// It runs.
    Running,
    /// It ended well.
    Succeeded,
    /// It did not.
    Failed,
    /// A word that this version does not know; kept for the record.
    Other(String),
}

impl Phase {
    /// As the release record writes it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::None => "",
            Self::Unknown => "Unknown",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Other(name) => name,
        }
    }

    /// Reads what a release record says.
    pub fn parse(name: &str) -> Self {
        match name {
            "" => Self::None,
            "Unknown" => Self::Unknown,
            "Running" => Self::Running,
            "Succeeded" => Self::Succeeded,
            "Failed" => Self::Failed,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// The last run of a hook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HookRun {
    /// When it began.
    pub started_at: Option<Time>,
    /// When it ended.
    pub completed_at: Option<Time>,
    /// How.
    pub phase: Phase,
}

/// When the object of a hook is deleted, or its logs are shown.
///
/// A record keeps what the chart says, known or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Policy {
    /// `hook-succeeded`
    Succeeded,
    /// `hook-failed`
    Failed,
    /// `before-hook-creation`
    BeforeCreation,
    /// Without effect.
    Other(String),
}

impl Policy {
    /// As the annotation and the record write it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Succeeded => "hook-succeeded",
            Self::Failed => "hook-failed",
            Self::BeforeCreation => "before-hook-creation",
            Self::Other(name) => name,
        }
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Self {
        match name {
            "hook-succeeded" => Self::Succeeded,
            "hook-failed" => Self::Failed,
            "before-hook-creation" => Self::BeforeCreation,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// A hook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hook {
    /// Name of the object.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// The template that it comes from, with the chart's name before it.
    pub path: String,
    /// The object.
    pub manifest: String,
    /// When it runs.
    pub events: Vec<Event>,
    /// Its last run.
    pub last_run: HookRun,
    /// Those with less weight run first.
    pub weight: i64,
    /// When its object is deleted; none means before it is created again.
    pub delete_policies: Vec<Policy>,
    /// When its logs are shown.
    pub output_log_policies: Vec<Policy>,
}

impl Hook {
    /// Whether it is a test.
    pub fn is_test(&self) -> bool {
        self.events.contains(&Event::Test)
    }

    /// Gives a hook without a delete policy the default one, as Helm does in the record when the hook runs.
    pub fn set_default_policy(&mut self) {
        if self.delete_policies.is_empty() {
            self.delete_policies.push(Policy::BeforeCreation);
        }
    }

    /// Whether its object is deleted at that point; without a policy it is deleted before it is created again. A
    /// CustomResourceDefinition is never deleted, since all objects of its kind would go with it.
    pub fn is_deleted(&self, at: &Policy) -> bool {
        if self.kind == "CustomResourceDefinition" {
            return false;
        }
        if self.delete_policies.is_empty() {
            *at == Policy::BeforeCreation
        } else {
            self.delete_policies.contains(at)
        }
    }

    /// The positions of the hooks that run at an event, in the order in which they run: by weight, then by name; what is
    /// equal keeps the order of kinds that the record has. A hook that names an event twice runs twice.
    pub fn at(hooks: &[Self], event: Event) -> Vec<usize> {
        let mut chosen: Vec<(usize, &Self)> = hooks
            .iter()
            .enumerate()
            .flat_map(|(at, hook)| {
                hook.events
                    .iter()
                    .filter(move |found| **found == event)
                    .map(move |_| (at, hook))
            })
            .collect();
        chosen.sort_by(|(_, a), (_, b)| (a.weight, &a.name).cmp(&(b.weight, &b.name)));
        chosen.into_iter().map(|(at, _)| at).collect()
    }
}
