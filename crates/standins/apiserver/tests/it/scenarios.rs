//! Every scenario file, on the stand-in and, when one is named, on a real server.

use std::collections::BTreeMap;
use std::path::PathBuf;

use http_body_util::{BodyExt as _, Full};
use serde_json::Value;
use tower::ServiceExt as _;
use weir_standin_apiserver::{ApiServer, Options};

use crate::scenario::{Endpoint, run};

struct StandIn(ApiServer);

impl Endpoint for StandIn {
    async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &BTreeMap<String, String>,
        body: Option<String>,
    ) -> (u16, String) {
        let mut request = http::Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request
            .body(Full::new(bytes::Bytes::from(body.unwrap_or_default())))
            .expect("a request");
        let response = self.0.clone().oneshot(request).await.expect("an answer");
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.expect("a body").to_bytes();
        (status, String::from_utf8_lossy(&bytes).into_owned())
    }
}

struct Real {
    client: reqwest::Client,
    url: String,
    token: String,
}

impl Endpoint for Real {
    async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &BTreeMap<String, String>,
        body: Option<String>,
    ) -> (u16, String) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(&self.token);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        (status, response.text().await.expect("a body"))
    }
}

/// All scenario files, or those that `SCENARIO` names a part of.
fn files() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../tests/scenarios");
    let only = std::env::var("SCENARIO").unwrap_or_default();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the scenario folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "json"))
        .filter(|path| path.to_string_lossy().contains(&only))
        .collect();
    files.sort();
    files
}

fn report(problems: &[String]) {
    assert!(
        problems.is_empty(),
        "{} problems\n{}",
        problems.len(),
        problems.join("\n")
    );
}

#[tokio::test(start_paused = true)]
async fn the_stand_in_plays_every_scenario() {
    let mut problems = Vec::new();
    for path in files() {
        let mut scenario: Value =
            serde_json::from_slice(&std::fs::read(&path).expect("readable")).expect("JSON");
        let endpoint = StandIn(ApiServer::new(Options::default()));
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        problems.extend(
            run(&mut scenario, &format!("q{name}"), &endpoint, false)
                .await
                .into_iter()
                .map(|p| format!("{name} {p}")),
        );
    }
    report(&problems);
}

#[tokio::test]
async fn a_real_server_plays_every_scenario() {
    let Ok(url) = std::env::var("WEIR_TEST_KUBE_URL") else {
        println!("not run: scenarios on a real server, WEIR_TEST_KUBE_URL is not set");
        return;
    };
    let token = std::env::var("WEIR_TEST_KUBE_TOKEN").unwrap_or_default();
    let client = reqwest::Client::builder()
        .danger_accept_invalid_certs(true)
        .build()
        .expect("a client");
    let endpoint = Real { client, url, token };
    let record = std::env::var("UPDATE").is_ok();
    let run_id = std::process::id();
    let mut problems = Vec::new();
    for path in files() {
        let mut scenario: Value =
            serde_json::from_slice(&std::fs::read(&path).expect("readable")).expect("JSON");
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let id = format!("q{name}{run_id}");
        problems.extend(
            run(&mut scenario, &id, &endpoint, record)
                .await
                .into_iter()
                .map(|p| format!("{name} {p}")),
        );
        if record {
            let text = serde_json::to_string_pretty(&scenario).expect("JSON") + "\n";
            std::fs::write(&path, text).expect("writable");
        }
    }
    report(&problems);
}
