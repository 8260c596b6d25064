//! What templates see as `.Capabilities`: the cluster's version and APIs, and Helm's version.

mod apis;
mod object;

pub(crate) use object::capabilities;

/// A Kubernetes version that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid kube version '{text}': {message}")]
pub struct KubeVersionError {
    /// As it was given.
    pub text: String,
    /// What is wrong with it.
    pub message: String,
}

/// A version of Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeVersion {
    /// In full, with `v` at its start: `v1.33.4-gke.1245000`.
    pub version: String,
    /// The numbers alone, which constraints are checked against: `v1.33.4`.
    pub normalized: String,
    /// First number.
    pub major: String,
    /// Second number.
    pub minor: String,
}

impl KubeVersion {
    /// Reads a version of two numbers or more, whatever follows them.
    pub fn parse(text: &str) -> Result<Self, KubeVersionError> {
        let fail = |message: String| KubeVersionError {
            text: text.to_owned(),
            message,
        };
        let trimmed = text.trim_start();
        let rest = trimmed.strip_prefix('v').unwrap_or(trimmed);
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let numbers = rest.get(..end).unwrap_or_default();
        // A dot counts only before a digit.
        let mut components: Vec<&str> = numbers.split('.').collect();
        if let Some(empty) = components.iter().position(|component| component.is_empty()) {
            components.truncate(empty);
        }
        if components.is_empty() {
            return Err(fail(format!("could not parse {text:?} as version")));
        }
        let [major, minor, ..] = components.as_slice() else {
            return Err(fail(format!("illegal version string {text:?}")));
        };
        if major.len() > 1 && major.starts_with('0') {
            return Err(fail(format!(
                "illegal zero-prefixed version component {major:?} in {text:?}"
            )));
        }
        let parsed: Result<Vec<u64>, _> = components.iter().map(|component| component.parse()).collect();
        let parsed = parsed.map_err(|_| fail(format!("illegal version string {text:?}")))?;
        let normalized: Vec<String> = parsed.iter().map(u64::to_string).collect();
        let (major, minor) = (major.parse().unwrap_or(0), minor.parse().unwrap_or(0));
        Ok(Self {
            version: if text.starts_with('v') {
                text.to_owned()
            } else {
                format!("v{text}")
            },
            normalized: format!("v{}", normalized.join(".")),
            major: u64::to_string(&major),
            minor: u64::to_string(&minor),
        })
    }
}

/// What a cluster can do, and what renders for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The cluster's version.
    pub kube_version: KubeVersion,
    /// Its APIs: `v1`, `apps/v1`, and with a kind behind, `apps/v1/Deployment`, where a cluster was asked.
    pub api_versions: Vec<String>,
    /// The version of Helm that charts are told.
    pub helm_version: String,
}

impl Capabilities {
    /// What Helm 4.2 says without a cluster.
    pub fn without_cluster() -> Self {
        Self {
            kube_version: KubeVersion {
                version: apis::KUBE_VERSION.0.to_owned(),
                normalized: apis::KUBE_VERSION.0.to_owned(),
                major: apis::KUBE_VERSION.1.to_owned(),
                minor: apis::KUBE_VERSION.2.to_owned(),
            },
            api_versions: apis::KNOWN.iter().map(|&api| api.to_owned()).collect(),
            helm_version: "v4.2".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_kubernetes_reads_them() {
        for (text, version, normalized) in [
            ("1.34.2", "v1.34.2", "v1.34.2"),
            ("v1.29", "v1.29", "v1.29"),
            ("1.33.4-gke.1245000", "v1.33.4-gke.1245000", "v1.33.4"),
            ("1.30+", "v1.30+", "v1.30"),
            ("v1.32.", "v1.32.", "v1.32"),
        ] {
            let found = KubeVersion::parse(text).unwrap();
            assert_eq!(
                (found.version.as_str(), found.normalized.as_str()),
                (version, normalized)
            );
            assert_eq!(found.major, "1");
        }
        for text in [
            "",
            "v",
            "1",
            "x1.2",
            "01.2",
            "latest",
            "1.99999999999999999999999",
        ] {
            assert!(KubeVersion::parse(text).is_err(), "{text}");
        }
    }
}
