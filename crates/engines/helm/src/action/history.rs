//! What the revisions of a release say about the next one. A history is sorted, the oldest first.

use crate::release::{Release, Status};

/// Why there is no upgrade, in Helm's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseError {
    /// Nothing was ever deployed, or what was is gone.
    #[error("{0:?} has no deployed releases")]
    NotDeployed(String),
    /// Another action is under way, or was broken off.
    #[error("another operation (install/upgrade/rollback) is in progress")]
    Pending,
}

/// What an upgrade starts from.
#[derive(Debug, Clone, Copy)]
pub struct Bases<'h> {
    /// The last revision, whose number and method of applying count.
    pub last: &'h Release,
    /// The revision whose objects are there: the deployed one, else the last.
    pub current: &'h Release,
}

/// What an upgrade starts from.
pub fn bases<'h>(name: &str, history: &'h [Release]) -> Result<Bases<'h>, BaseError> {
    let nothing = || BaseError::NotDeployed(name.to_owned());
    let last = history.last().ok_or_else(nothing)?;
    let status = last.status();
    if status.is_pending() {
        return Err(BaseError::Pending);
    }
    let current = match deployed(history).last() {
        Some(deployed) => deployed,
        None if matches!(status, Status::Failed | Status::Superseded) => last,
        None => return Err(nothing()),
    };
    Ok(Bases { last, current })
}

/// The deployed revisions: one, unless two actions met.
pub fn deployed(history: &[Release]) -> impl DoubleEndedIterator<Item = &Release> {
    history
        .iter()
        .filter(|release| release.status() == Status::Deployed)
}

/// The revisions whose objects may be there before a rollback: the last, and the deployed one where that is another. Helm
/// looks at the last alone; a rollback that was broken off would then leave what only the deployed one had.
pub fn present(history: &[Release]) -> impl Iterator<Item = &Release> {
    let last = history.last();
    let deployed = deployed(history).last();
    last.into_iter()
        .chain(deployed.filter(move |deployed| last.is_some_and(|last| last.version != deployed.version)))
}

/// Whether a release of this name can be installed. With `replace` it can where the last revision failed or was removed
/// and is still remembered.
pub fn is_free(history: &[Release], replace: bool) -> bool {
    match history.last().map(Release::status) {
        None => true,
        Some(Status::Uninstalled | Status::Failed) => replace,
        Some(_) => false,
    }
}

/// The revision that a rollback goes to: the one named, with 0 the one before the last. The error is its number.
pub fn rollback_target(history: &[Release], version: i64) -> Result<&Release, i64> {
    let version = match (version, history.last()) {
        (0, Some(last)) => last.version - 1,
        (version, _) => version,
    };
    history
        .iter()
        .find(|release| release.version == version)
        .ok_or(version)
}

/// The revisions to forget, so that one more can be written and `max` are kept; the deployed one always stays. With 0
/// all stay.
pub fn prunable(history: &[Release], max: usize) -> Vec<i64> {
    if max == 0 {
        return Vec::new();
    }
    let too_many = (history.len() + 1).saturating_sub(max);
    let deployed = deployed(history).last().map(|release| release.version);
    history
        .iter()
        .map(|release| release.version)
        .filter(|version| Some(*version) != deployed)
        .take(too_many)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::Info;

    fn history(statuses: &[Status]) -> Vec<Release> {
        (1..)
            .zip(statuses)
            .map(|(version, status)| Release {
                version,
                info: Some(Info {
                    status: status.clone(),
                    ..Info::default()
                }),
                ..Release::default()
            })
            .collect()
    }

    fn numbers(statuses: &[Status]) -> Result<(i64, i64), BaseError> {
        let history = history(statuses);
        bases("web", &history).map(|bases| (bases.last.version, bases.current.version))
    }

    #[test]
    fn an_upgrade_starts_from_what_is_deployed() {
        use Status::{Deployed, Failed, PendingUpgrade, Superseded, Uninstalled, Uninstalling};
        assert_eq!(numbers(&[Superseded, Deployed]), Ok((2, 2)));
        assert_eq!(numbers(&[Deployed, Failed]), Ok((2, 1)));
        assert_eq!(numbers(&[Deployed, Deployed, Failed]), Ok((3, 2)));
        assert_eq!(numbers(&[Failed]), Ok((1, 1)));
        assert_eq!(numbers(&[Failed, Superseded]), Ok((2, 2)));
        assert_eq!(numbers(&[Deployed, PendingUpgrade]), Err(BaseError::Pending));
        for gone in [&[][..], &[Uninstalled], &[Uninstalling]] {
            let error = numbers(gone).unwrap_err();
            assert_eq!(error.to_string(), "\"web\" has no deployed releases");
        }
    }

    #[test]
    fn a_name_is_free_if_nobody_has_it() {
        use Status::{Deployed, Failed, PendingInstall, Uninstalled};
        assert!(is_free(&[], false));
        assert!(!is_free(&history(&[Uninstalled]), false));
        assert!(is_free(&history(&[Uninstalled]), true));
        assert!(is_free(&history(&[Failed]), true));
        assert!(!is_free(&history(&[Deployed]), true));
        assert!(!is_free(&history(&[PendingInstall]), true));
    }

    #[test]
    fn what_is_deployed_is_never_forgotten() {
        use Status::{Deployed, Failed, Superseded};
        assert_eq!(prunable(&history(&[Superseded, Superseded, Deployed]), 3), [1]);
        assert_eq!(
            prunable(&history(&[Deployed, Failed, Failed, Failed]), 2),
            [2, 3, 4]
        );
        assert_eq!(prunable(&history(&[Deployed]), 1), [0_i64; 0]);
        assert_eq!(prunable(&history(&[Superseded, Deployed]), 0), [0_i64; 0]);
        assert_eq!(prunable(&history(&[Superseded, Deployed]), 5), [0_i64; 0]);
    }

    #[test]
    fn what_is_deployed_is_there_after_a_failure_too() {
        use Status::{Deployed, Failed, Superseded};
        let versions = |statuses: &[Status]| -> Vec<i64> {
            present(&history(statuses))
                .map(|release| release.version)
                .collect()
        };
        assert_eq!(versions(&[Superseded, Deployed]), [2]);
        assert_eq!(versions(&[Deployed, Failed]), [2, 1]);
        assert_eq!(versions(&[Failed]), [1]);
        assert_eq!(versions(&[]), [0_i64; 0]);
    }

    #[test]
    fn a_rollback_goes_one_back_unless_it_is_told() {
        use Status::{Deployed, Superseded};
        let history = history(&[Superseded, Superseded, Deployed]);
        let target = |version| rollback_target(&history, version).map(|release| release.version);
        assert_eq!((target(0), target(1), target(7)), (Ok(2), Ok(1), Err(7)));
    }
}
