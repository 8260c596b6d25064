//! Turns with the real helm on one cluster.

mod compare;
mod turns;

use anyhow::{Context as _, Result};
use weir_control_plane::Helm;
use weir_helm::Chart;

use crate::ground::Ground;

/// The real helm for one namespace.
fn helm(ground: &Ground, namespace: &str) -> Result<Helm> {
    let kubeconfig = ground.kubeconfig().context("a real control plane")?;
    Helm::new("helm", kubeconfig, namespace)
}

/// Writes a chart to disk, for helm to read.
fn unpack(helm: &Helm, chart: &Chart) -> Result<String> {
    let files = chart.raw.iter();
    let files = files.map(|file| (file.name.as_str(), AsRef::<[u8]>::as_ref(&file.data)));
    helm.unpack(&format!("chart-{}", chart.metadata.version), files)
}

macro_rules! run {
    ($ground:ident, $failed:ident, $($module:ident::$name:ident),* $(,)?) => {$(
        let begun = tokio::time::Instant::now();
        let name = concat!(stringify!($module), "::", stringify!($name));
        match $module::$name($ground).await {
            Ok(()) => println!("helm: {name} ({} ms)", begun.elapsed().as_millis()),
            Err(error) => {
                println!("helm: {name} FAILED: {error:#}");
                $failed.push(name);
            }
        }
    )*};
}

/// Runs all of them on one control plane.
pub(crate) async fn all(ground: &Ground) {
    let mut failed = Vec::new();
    run!(
        ground,
        failed,
        turns::helm_reads_what_we_wrote,
        turns::helm_goes_on_where_we_stopped,
        turns::we_go_on_where_helm_stopped,
        turns::a_record_of_helm_3_is_read_and_upgraded,
        compare::what_the_server_merges_is_the_same,
        compare::what_the_client_merges_is_the_same,
    );
    assert!(failed.is_empty(), "{failed:?}");
}
