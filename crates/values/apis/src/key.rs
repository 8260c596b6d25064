//! Labels, annotations, finalizers and field managers that Flux defines; weir uses them unchanged so that
//! objects move between the two without an edit.

/// Finalizer on every Flux object with state outside itself.
pub const FINALIZER: &str = "finalizers.fluxcd.io";
/// Annotation: any new value asks for a reconcile at once.
pub const REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";
/// Label on ConfigMaps and Secrets whose changes wake those that refer to them; the value is `Enabled`.
pub const WATCH: &str = "reconcile.fluxcd.io/watch";
/// Prefix of annotations that are copied into event metadata.
pub const EVENT_PREFIX: &str = "event.toolkit.fluxcd.io/";

/// Label: name of the Kustomization that owns the object.
pub const KUSTOMIZATION_NAME: &str = "kustomize.toolkit.fluxcd.io/name";
/// Label: namespace of the Kustomization that owns the object.
pub const KUSTOMIZATION_NAMESPACE: &str = "kustomize.toolkit.fluxcd.io/namespace";
/// Label or annotation: `disabled` takes an object out of reconciliation.
pub const RECONCILE: &str = "kustomize.toolkit.fluxcd.io/reconcile";
/// Label or annotation: `Ignore`, `IfNotPresent` or `Merge`.
pub const SSA: &str = "kustomize.toolkit.fluxcd.io/ssa";
/// Label or annotation: `enabled` recreates the object when an immutable field changes.
pub const FORCE: &str = "kustomize.toolkit.fluxcd.io/force";
/// Label or annotation: `disabled` keeps the object when it leaves the source.
pub const PRUNE: &str = "kustomize.toolkit.fluxcd.io/prune";
/// Label or annotation: `disabled` takes an object out of variable substitution.
pub const SUBSTITUTE: &str = "kustomize.toolkit.fluxcd.io/substitute";

/// Annotation of weir's own on a Kustomization: how many objects that left the source one reconcile may delete, as a number, a
/// share of the inventory such as `25%`, or `unlimited`.
pub const MAX_PRUNE: &str = "kustomize.weir.dev/max-prune";

/// Field manager of everything that a Kustomization applies.
pub const KUSTOMIZE_MANAGER: &str = "kustomize-controller";
/// Field manager of a Kustomization's own status.
pub const KUSTOMIZE_STATUS_MANAGER: &str = "gotk-kustomize-controller";
/// Field manager of a source's own status.
pub const SOURCE_MANAGER: &str = "source-controller";

/// In the metadata of a source's artifact: the number of the promotion record by which it was taken, where a policy asks that the source
/// goes forward only.
pub const SEQUENCE: &str = "weir.dev/sequence";
/// Beside [`SEQUENCE`]: where the source is, with the whole record, as JSON.
pub const STANDING: &str = "weir.dev/standing";

/// Manifest annotation: where an artifact was built from.
pub const OCI_SOURCE: &str = "org.opencontainers.image.source";
/// Manifest annotation: which revision an artifact was built from.
pub const OCI_REVISION: &str = "org.opencontainers.image.revision";

/// Annotation of a HelmRelease: releases now, whatever the failure counters say. Counts with the value of
/// [`REQUESTED_AT`] only.
pub const FORCE_AT: &str = "reconcile.fluxcd.io/forceAt";
/// Annotation of a HelmRelease: forgets the failures that were counted. Counts with the value of [`REQUESTED_AT`] only.
pub const RESET_AT: &str = "reconcile.fluxcd.io/resetAt";
/// Label: name of the HelmRelease that owns the object.
pub const HELM_RELEASE_NAME: &str = "helm.toolkit.fluxcd.io/name";
/// Label: namespace of the HelmRelease that owns the object.
pub const HELM_RELEASE_NAMESPACE: &str = "helm.toolkit.fluxcd.io/namespace";
/// Label or annotation: `disabled` takes an object out of a HelmRelease's drift detection.
pub const HELM_DRIFT_DETECTION: &str = "helm.toolkit.fluxcd.io/driftDetection";
/// Field manager of everything that a HelmRelease applies, and of its status.
pub const HELM_MANAGER: &str = "helm-controller";
