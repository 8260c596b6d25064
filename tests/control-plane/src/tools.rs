//! The reference programs that tests compare with, built from the Go modules in `tests/tools`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// One Go module and what is built from it.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    /// Folder below `tests/tools`.
    pub folder: &'static str,
    /// Version; part of the cache folder's name.
    pub version: &'static str,
    /// Program and Go package, each.
    pub programs: &'static [(&'static str, &'static str)],
    /// Linker flags.
    pub ldflags: &'static str,
}

/// kube-apiserver reports v0.0.0 unless its version is linked in, and kubectl then refuses to work with it.
const KUBERNETES_FLAGS: &str = "-s -w -X k8s.io/component-base/version.gitVersion=v1.34.2 \
     -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=34";

/// Every tool, in the order in which they are built.
pub const ALL: &[Tool] = &[
    Tool {
        folder: "kustomize",
        version: "v5.8.1",
        programs: &[("kustomize", "sigs.k8s.io/kustomize/kustomize/v5")],
        ldflags: "-s -w",
    },
    Tool {
        folder: "yaml",
        version: "kyaml-v0.21.1",
        programs: &[("goyaml", ".")],
        ldflags: "-s -w",
    },
    Tool {
        folder: "etcd",
        version: "v3.6.14",
        programs: &[("etcd", ".")],
        ldflags: "-s -w",
    },
    Tool {
        folder: "kubernetes",
        version: "v1.34.2",
        programs: &[
            ("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
            (
                "kube-controller-manager",
                "k8s.io/kubernetes/cmd/kube-controller-manager",
            ),
            ("kubectl", "k8s.io/kubernetes/cmd/kubectl"),
        ],
        ldflags: KUBERNETES_FLAGS,
    },
    Tool {
        folder: "cosign",
        version: "v3.1.3",
        programs: &[("cosign", "github.com/sigstore/cosign/v3/cmd/cosign")],
        ldflags: "-s -w",
    },
    Tool {
        folder: "helm",
        version: "v4.2.4",
        programs: &[("helm", "helm.sh/helm/v4/cmd/helm"), ("gohelm", ".")],
        ldflags: "-s -w",
    },
    Tool {
        folder: "helm-3",
        version: "v3.22.0",
        programs: &[("helm3", "helm.sh/helm/v3/cmd/helm")],
        ldflags: "-s -w",
    },
];

/// Where built programs are kept: `$WEIR_TOOLS`, else `~/.cache/weir/tools`.
pub fn cache() -> Result<PathBuf> {
    if let Some(folder) = std::env::var_os("WEIR_TOOLS") {
        return Ok(folder.into());
    }
    let home =
        std::env::var_os("HOME").context("HOME is not set: set WEIR_TOOLS to a folder for built programs")?;
    Ok(PathBuf::from(home).join(".cache/weir/tools"))
}

/// Path of a program, whether or not it is built.
pub fn path(program: &str) -> Result<PathBuf> {
    let tool = ALL
        .iter()
        .find(|t| t.programs.iter().any(|(name, _)| *name == program))
        .with_context(|| format!("`{program}` is none of the reference programs"))?;
    Ok(cache()?
        .join(format!("{}-{}", tool.folder, tool.version))
        .join(program))
}

/// Path of a program if it is built.
pub fn find(program: &str) -> Option<PathBuf> {
    path(program).ok().filter(|p| p.is_file())
}

/// Builds what is missing of a tool. `repository` is the checkout's root.
pub fn build(repository: &Path, tool: &Tool) -> Result<()> {
    let folder = cache()?.join(format!("{}-{}", tool.folder, tool.version));
    for (program, package) in tool.programs {
        let target = folder.join(program);
        if target.is_file() {
            continue;
        }
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        // Built under another name and moved, so that an interrupted build leaves nothing that looks whole.
        let partial = folder.join(format!("{program}.partial-{}", std::process::id()));
        let status = Command::new("go")
            .current_dir(repository.join("tests/tools").join(tool.folder))
            .env("CGO_ENABLED", "0")
            .args(["build", "-trimpath", "-ldflags", tool.ldflags, "-o"])
            .arg(&partial)
            .arg(package)
            .stdin(Stdio::null())
            .status()
            .context("cannot run `go`: the reference programs need Go 1.26 or newer")?;
        if !status.success() {
            bail!("building {program} {} failed", tool.version);
        }
        std::fs::rename(&partial, &target).with_context(|| format!("cannot move {}", target.display()))?;
    }
    Ok(())
}
