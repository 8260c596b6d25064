//! The ground that scenarios stand on: a cluster, a registry, and weir's controllers, in this process or real.
//!
//! A scenario is a function of a [`Ground`]; it works in namespaces of its own, so that many share one ground.

pub mod bench;
mod charts;
mod ground;
mod helm;
pub mod process;
mod publish;
mod tls;

pub use charts::{ChartServer, web};
pub use ground::{Ground, REGISTRY, docker_config, kustomization, object, source};
pub use helm::{chart_files, helm_release};
pub use publish::{Files, files};
pub use tls::Authority;
