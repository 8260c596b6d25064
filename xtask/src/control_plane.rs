//! `cargo xtask control-plane`.

use anyhow::Result;
use kube::config::{KubeConfigOptions, Kubeconfig};
use weir_control_plane::{ControlPlane, nodes};

pub(crate) fn run() -> Result<()> {
    // One provider for the process; a second call would only say that there is one.
    let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let plane = ControlPlane::start()?;
    println!("export KUBECONFIG={}", plane.kubeconfig_path().display());
    tokio::runtime::Runtime::new()?.block_on(async {
        let kubeconfig = Kubeconfig::from_yaml(&plane.kubeconfig())?;
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        let client = kube::Client::try_from(config)?;
        tokio::select! {
            outcome = nodes::play(client) => outcome,
            _ = tokio::signal::ctrl_c() => Ok(()),
        }
    })
}
