//! What CI and people find outside: a registry, a Sigstore with its OIDC provider, a folder, and the binary on the path.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Output, Stdio};

use jiff::{SignedDuration, Timestamp};
use tokio::process::Command;
use weir_standin_registry::{Handle, Options as RegistryOptions, Registry};
use weir_standin_sigstore::{Options, Rekor, Server, Sigstore, Workload};

/// Variables of a process.
pub(crate) type Variables = BTreeMap<String, String>;

/// The outside world. Dropping it ends it.
pub(crate) struct Outside {
    pub(crate) registry: Registry,
    server: Server,
    folder: tempfile::TempDir,
    handle: Handle,
}

impl Outside {
    pub(crate) async fn start(options: RegistryOptions) -> Self {
        let registry = Registry::new(options);
        let handle = registry.start().await.expect("a registry");
        let from = Timestamp::now() - SignedDuration::from_hours(1);
        let server = Server::start(from, Options::default()).await.expect("a Sigstore");
        let outside = Self {
            registry,
            server,
            folder: tempfile::tempdir().expect("a folder"),
            handle,
        };
        let sigstore = outside.sigstore();
        outside.write("trusted_root.json", &sigstore.trusted_root().to_string());
        outside.write(
            "signing_config.json",
            &sigstore.signing_config(Rekor::V2).to_string(),
        );
        outside
    }

    pub(crate) fn sigstore(&self) -> &Sigstore {
        self.server.sigstore()
    }

    /// `HOST:PORT` of the registry.
    pub(crate) fn host(&self) -> String {
        self.handle.host()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The path of a file in the folder.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder().join(name).to_str().expect("UTF-8").to_owned()
    }

    pub(crate) fn write(&self, name: &str, content: &str) -> String {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("creates");
        std::fs::write(path, content).expect("writes");
        self.path(name)
    }

    /// A machine's own variables: the binary is on the path, and the home is the folder.
    pub(crate) fn variables(&self) -> Variables {
        let weir = Path::new(env!("CARGO_BIN_EXE_weir")).parent().expect("a folder");
        let path = format!("{}:/usr/bin:/bin", weir.display());
        [
            ("PATH", path),
            ("HOME", self.path("")),
            ("USER", "alice".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// What GitHub adds for a job of this workflow that may ask for tokens.
    pub(crate) fn job(&self, workflow: &str) -> Variables {
        let workload = Workload::Actions {
            repository: "org/apps".to_owned(),
            workflow: workflow.to_owned(),
            reference: "refs/heads/main".to_owned(),
            commit: "0123abcd".to_owned(),
        };
        let (url, secret) = self.sigstore().job(&workload, Timestamp::now());
        let mut variables = self.variables();
        for (name, value) in [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "org/apps"),
            ("GITHUB_REF", "refs/heads/main"),
            ("GITHUB_SHA", "0123abcd"),
            (
                "GITHUB_WORKFLOW_REF",
                "org/apps/.github/workflows/start.yml@refs/heads/main",
            ),
            ("GITHUB_RUN_ID", "42"),
            ("RUNNER_ENVIRONMENT", "github-hosted"),
            ("GITHUB_ACTOR", "alice"),
            ("ACTIONS_ID_TOKEN_REQUEST_URL", &url),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", &secret),
        ] {
            variables.insert(name.to_owned(), value.to_owned());
        }
        variables
    }

    /// The requests so far that changed something in the registry.
    pub(crate) fn writes(&self) -> Vec<String> {
        let seen = self.registry.seen().into_iter();
        seen.filter(|one| !["GET", "HEAD"].contains(&one.method.as_str()))
            .map(|one| format!("{} {}", one.method, one.path))
            .collect()
    }

    /// Runs the binary.
    pub(crate) async fn weir(&self, args: &[&str]) -> Output {
        run(
            Command::new(env!("CARGO_BIN_EXE_weir")).args(args),
            self.folder(),
            &self.variables(),
        )
        .await
    }
}

/// Runs a program with these variables and no others.
pub(crate) async fn run(command: &mut Command, folder: &Path, variables: &Variables) -> Output {
    let command = command
        .current_dir(folder)
        .env_clear()
        .envs(variables)
        .stdin(Stdio::null());
    command.output().await.expect("the program runs")
}
