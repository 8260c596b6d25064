//! The pages about condition reasons, as they lie in `docs/reasons/`, inside the binary.

macro_rules! pages {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../docs/reasons/", $name, ".md")))),*]
    };
}

/// Reason and page, by reason.
pub(crate) const PAGES: &[(&str, &str)] = pages![
    "AccessDenied",
    "ArchiveOperationFailed",
    "ArtifactFailed",
    "ArtifactUpToDate",
    "AuthenticationFailed",
    "AwaitingTests",
    "BuildFailed",
    "ChartMutateError",
    "ChartPackageError",
    "ChartPackageSucceeded",
    "ChartPullError",
    "ChartPullSucceeded",
    "ChartVerificationError",
    "DependencyNotReady",
    "DriftCorrected",
    "DriftCorrectionFailed",
    "DriftDetected",
    "Failed",
    "FeatureGateDisabled",
    "HealthCheckCanceled",
    "HealthCheckFailed",
    "HelmChartConfigured",
    "HelmChartCreated",
    "HelmChartDeleted",
    "HelmChartSyncErr",
    "IndexationFailed",
    "InstallFailed",
    "InstallSucceeded",
    "InvalidCELExpression",
    "InvalidChartReference",
    "InvalidSpec",
    "InventoryBuildFailed",
    "MetadataPatchError",
    "MissingRollbackTarget",
    "NewArtifact",
    "NewChart",
    "NewRevision",
    "NoDriftDetected",
    "NoSourceArtifact",
    "OCIArtifactLayerOperationFailed",
    "OCIArtifactPullFailed",
    "PendingRelease",
    "PolicyUnusable",
    "Progressing",
    "ProgressingWithRetry",
    "PruneFailed",
    "RESTClientError",
    "ReconciliationFailed",
    "ReconciliationSucceeded",
    "RetriesExceeded",
    "RollbackFailed",
    "RollbackSucceeded",
    "SourceNotReady",
    "SourceUnavailable",
    "StateError",
    "StorageOperationFailed",
    "Succeeded",
    "TestFailed",
    "TestSucceeded",
    "URLInvalid",
    "UninstallFailed",
    "UninstallSucceeded",
    "UnsupportedSourceKind",
    "UpgradeFailed",
    "UpgradeSucceeded",
    "ValuesError",
    "ValuesFilesError",
    "VerificationError",
    "WouldBeRefused",
];

/// The first sentence below a page's heading.
pub(crate) fn summary(page: &str) -> &str {
    page.lines()
        .skip(1)
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_reason_has_a_page_and_every_page_a_reason() {
        let reasons: BTreeSet<&str> = weir_apis::reason::ALL.iter().copied().collect();
        let pages: BTreeSet<&str> = PAGES.iter().map(|(name, _)| *name).collect();
        assert_eq!(reasons, pages);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/reasons");
        let files: BTreeSet<String> = std::fs::read_dir(folder)
            .expect("docs/reasons is there")
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        assert_eq!(files, pages.iter().map(|name| format!("{name}.md")).collect());
    }

    #[test]
    fn every_page_has_the_same_parts() {
        for (name, page) in PAGES {
            assert!(page.starts_with(&format!("# {name}\n\n")), "{name}: heading");
            assert!(
                summary(page).ends_with('.'),
                "{name}: the first line is one sentence"
            );
            for part in ["## What it looks like", "## Likely causes", "## What to do"] {
                assert!(page.contains(&format!("\n{part}\n")), "{name}: {part}");
            }
        }
    }
}
