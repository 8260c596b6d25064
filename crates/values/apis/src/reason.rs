//! Condition reasons, as Flux spells them. Each has a page in `docs/reasons/`.

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub const $name: &str = $text;)*
        /// Every reason that weir sets.
        pub const ALL: &[&str] = &[$($text),*];
    };
}

reasons! {
    /// The object is in the state that its spec asks for.
    SUCCEEDED = "Succeeded";
    /// Work is under way.
    PROGRESSING = "Progressing";
    /// The last attempt failed and another will follow.
    PROGRESSING_WITH_RETRY = "ProgressingWithRetry";
    /// A dependency is not ready yet.
    DEPENDENCY_NOT_READY = "DependencyNotReady";
    /// The source, or its artifact, can't be read.
    ARTIFACT_FAILED = "ArtifactFailed";
    /// The manifests can't be built.
    BUILD_FAILED = "BuildFailed";
    /// Objects that left the source can't be deleted.
    PRUNE_FAILED = "PruneFailed";
    /// Applied objects did not become healthy in time.
    HEALTH_CHECK_FAILED = "HealthCheckFailed";
    /// The wait for health was cut short.
    HEALTH_CHECK_CANCELED = "HealthCheckCanceled";
    /// A Kustomization's objects are applied, and healthy where asked.
    RECONCILIATION_SUCCEEDED = "ReconciliationSucceeded";
    /// A Kustomization's objects can't be applied.
    RECONCILIATION_FAILED = "ReconciliationFailed";
    /// A CEL expression does not compile.
    INVALID_CEL_EXPRESSION = "InvalidCELExpression";
    /// A field asks for something that is switched off or not built yet.
    FEATURE_GATE_DISABLED = "FeatureGateDisabled";
    /// A reference to another namespace is not allowed here.
    ACCESS_DENIED = "AccessDenied";
    /// The object's spec can't be read.
    INVALID_SPEC = "InvalidSpec";

    /// A new revision was found.
    NEW_REVISION = "NewRevision";
    /// A new artifact was stored.
    NEW_ARTIFACT = "NewArtifact";
    /// The stored artifact is the newest one.
    ARTIFACT_UP_TO_DATE = "ArtifactUpToDate";
    /// The URL can't be used.
    URL_INVALID = "URLInvalid";
    /// Credentials can't be read, or the registry refused them.
    AUTHENTICATION_FAILED = "AuthenticationFailed";
    /// A signature is missing or wrong.
    VERIFICATION_ERROR = "VerificationError";
    /// A policy that is only audited would refuse the artifact.
    WOULD_BE_REFUSED = "WouldBeRefused";
    /// A VerificationPolicy cannot be used.
    POLICY_UNUSABLE = "PolicyUnusable";
    /// The registry did not give the artifact.
    OCI_ARTIFACT_PULL_FAILED = "OCIArtifactPullFailed";
    /// The artifact has no layer that was asked for, or it can't be unpacked.
    OCI_ARTIFACT_LAYER_OPERATION_FAILED = "OCIArtifactLayerOperationFailed";
    /// The artifact can't be packed for the store.
    ARCHIVE_OPERATION_FAILED = "ArchiveOperationFailed";
    /// The artifact can't be written to the store.
    STORAGE_OPERATION_FAILED = "StorageOperationFailed";

    /// A repository's index can't be downloaded.
    FAILED = "Failed";
    /// What was downloaded is no index of charts.
    INDEXATION_FAILED = "IndexationFailed";
    /// The source that a chart comes from can't be read.
    SOURCE_UNAVAILABLE = "SourceUnavailable";
    /// Charts are not taken from sources of this kind.
    UNSUPPORTED_SOURCE_KIND = "UnsupportedSourceKind";
    /// The source that a chart comes from has no artifact yet.
    NO_SOURCE_ARTIFACT = "NoSourceArtifact";
    /// A newer version of a chart was found.
    NEW_CHART = "NewChart";
    /// A chart was stored as it was published.
    CHART_PULL_SUCCEEDED = "ChartPullSucceeded";
    /// A chart was packed anew and stored.
    CHART_PACKAGE_SUCCEEDED = "ChartPackageSucceeded";
    /// The repository does not have such a chart, or the reference can't be read.
    INVALID_CHART_REFERENCE = "InvalidChartReference";
    /// A chart can't be downloaded, or is none.
    CHART_PULL_ERROR = "ChartPullError";
    /// A chart's version can't carry what tells its builds apart.
    METADATA_PATCH_ERROR = "MetadataPatchError";
    /// A chart's default values can't be made of `spec.valuesFiles`.
    VALUES_FILES_ERROR = "ValuesFilesError";
    /// A chart can't be packed anew.
    CHART_PACKAGE_ERROR = "ChartPackageError";
    /// A chart is not signed as the spec asks.
    CHART_VERIFICATION_ERROR = "ChartVerificationError";
    /// The source has no chart for a HelmRelease yet.
    SOURCE_NOT_READY = "SourceNotReady";
    /// A HelmRelease's values can't be read.
    VALUES_ERROR = "ValuesError";
    /// The chart's version and the revision of its artifact don't go together.
    CHART_MUTATE_ERROR = "ChartMutateError";
    /// The cluster of a HelmRelease, or the identity for it, can't be used.
    REST_CLIENT_ERROR = "RESTClientError";
    /// The records of a release can't be read, or say nothing that can be acted on.
    STATE_ERROR = "StateError";
    /// A release was made for the first time.
    INSTALL_SUCCEEDED = "InstallSucceeded";
    /// A release could not be made.
    INSTALL_FAILED = "InstallFailed";
    /// A release was brought to a new chart, or to new values.
    UPGRADE_SUCCEEDED = "UpgradeSucceeded";
    /// A release could not be upgraded.
    UPGRADE_FAILED = "UpgradeFailed";
    /// The chart's tests have succeeded.
    TEST_SUCCEEDED = "TestSucceeded";
    /// A test of the chart has failed.
    TEST_FAILED = "TestFailed";
    /// A failed upgrade was undone.
    ROLLBACK_SUCCEEDED = "RollbackSucceeded";
    /// A failed upgrade could not be undone.
    ROLLBACK_FAILED = "RollbackFailed";
    /// A release was removed.
    UNINSTALL_SUCCEEDED = "UninstallSucceeded";
    /// A release could not be removed.
    UNINSTALL_FAILED = "UninstallFailed";
    /// Live objects differ from the release.
    DRIFT_DETECTED = "DriftDetected";
    /// Live objects are as the release made them.
    NO_DRIFT_DETECTED = "NoDriftDetected";
    /// Live objects were put back to what the release made them.
    DRIFT_CORRECTED = "DriftCorrected";
    /// Live objects could not be put back.
    DRIFT_CORRECTION_FAILED = "DriftCorrectionFailed";
    /// An action on the release was broken off before it ended.
    PENDING_RELEASE = "PendingRelease";
    /// The tests of a release have not run yet.
    AWAITING_TESTS = "AwaitingTests";
    /// A release failed more often than may be tried.
    RETRIES_EXCEEDED = "RetriesExceeded";
    /// There is no revision that a failed release could go back to.
    MISSING_ROLLBACK_TARGET = "MissingRollbackTarget";
    /// The objects of a release can't be listed in its status.
    INVENTORY_BUILD_FAILED = "InventoryBuildFailed";
    /// The HelmChart of a HelmRelease was created.
    HELM_CHART_CREATED = "HelmChartCreated";
    /// The HelmChart of a HelmRelease was changed.
    HELM_CHART_CONFIGURED = "HelmChartConfigured";
    /// The HelmChart of a HelmRelease was deleted.
    HELM_CHART_DELETED = "HelmChartDeleted";
    /// The HelmChart of a HelmRelease can't be written or deleted.
    HELM_CHART_SYNC_ERR = "HelmChartSyncErr";
}
