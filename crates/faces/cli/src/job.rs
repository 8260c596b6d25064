//! The job of GitHub or GitLab in which a command runs, as its environment describes it.

mod provenance;

pub(crate) use provenance::{Materials, NoProvenance, provenance};

use crate::io::Io;

/// Where the job's checkout comes from, as the actions that Flux users know write it into a manifest.
pub(crate) fn source(io: &Io) -> Option<String> {
    let github = io.env("GITHUB_SERVER_URL").zip(io.env("GITHUB_REPOSITORY"));
    github
        .map(|(server, repository)| format!("{server}/{repository}"))
        .or_else(|| io.env("CI_PROJECT_URL").map(str::to_owned))
}

/// Which revision of it that is, as Flux writes revisions.
pub(crate) fn revision(io: &Io) -> Option<String> {
    io.env("GITHUB_REF")
        .zip(io.env("GITHUB_SHA"))
        .or_else(|| io.env("CI_COMMIT_REF_NAME").zip(io.env("CI_COMMIT_SHA")))
        .map(|(name, commit)| format!("{name}@sha1:{commit}"))
}
