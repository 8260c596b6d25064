//! A Kubernetes API server in memory.
//!
//! It stands in for kube-apiserver v1.34, and for the parts of kube-controller-manager that clients wait for, wherever
//! a real cluster is too slow, too far or too much: `weir demo`, the offline preview and the tests. It is no production
//! store: nothing is written to disk, and there are no nodes.
//!
//! [`ApiServer`] is a tower service that `kube::Client::new` takes as it is, and [`ApiServer::serve`] lets other
//! programs such as kubectl in. It is judged by scenario files that run unchanged against the real program.
//!
//! ```
//! use http_body_util::{BodyExt as _, Empty};
//! use tower::ServiceExt as _;
//! use weir_standin_apiserver::{ApiServer, Options};
//!
//! # tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(async {
//! let server = ApiServer::new(Options::default());
//! let request = http::Request::get("/api/v1/namespaces/default").body(Empty::<bytes::Bytes>::new()).expect("a request");
//! let response = server.clone().oneshot(request).await.expect("answers always");
//! assert_eq!(response.status(), 200);
//! let body = response.into_body().collect().await.expect("a body").to_bytes();
//! let namespace: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
//! assert_eq!(namespace["status"]["phase"], "Active");
//! # });
//! ```

mod admission;
mod apply;
mod auth;
mod body;
mod bootstrap;
mod controllers;
mod convert;
mod crd;
mod decode;
mod defaults;
mod discovery;
mod dispatch;
mod faults;
mod fields;
mod log;
mod managed;
mod object;
mod openapi;
mod options;
mod patch;
mod paths;
mod protobuf;
mod rbac;
mod read;
mod registry;
mod reply;
mod request;
mod reviews;
mod selector;
mod server;
mod services;
mod state;
mod status;
mod store;
mod strategy;
mod subresources;
mod table;
mod text;
mod tokens;
mod typed;
mod validation;
mod watch;
mod workloads;
mod write;

pub use body::{Body, CutError};
pub use faults::{Fault, FaultRule};
pub use log::RequestRecord;
pub use options::{Clock, Options, User};
pub use server::{ApiServer, kubeconfig};
