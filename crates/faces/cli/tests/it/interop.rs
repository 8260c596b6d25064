//! Artifacts between weir and others: bare HTTP, and the registry library of crane and cosign (go-containerregistry).

use std::io::Read as _;
use std::process::Command;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use weir_oci::Digest;

use crate::harness::{registry, weir};

const COSIGN: &str = ".cache/weir/tools/cosign-v3.1.3/cosign";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("config.yaml"), "kind: ConfigMap\n").expect("writes");
    folder
}

async fn push(reference: &str, folder: &tempfile::TempDir) -> Value {
    let path = folder.path().to_str().expect("UTF-8");
    let args = [
        "artifact",
        "push",
        reference,
        "--path",
        path,
        "--source",
        "s",
        "--revision",
        "r",
        "-o",
        "json",
    ];
    serde_json::from_str(&weir(&args).await.success()).expect("JSON")
}

/// One request on a connection of its own: the head of the answer, and its body.
async fn ask(host: &str, method: &str, path: &str, kind: &str, body: &[u8]) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(host).await.expect("connects");
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\naccept: {kind}\r\ncontent-type: {kind}\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("writes");
    stream.write_all(body).await.expect("writes");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("reads");
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .expect("a head");
    let body = answer.split_off(end + 4);
    (String::from_utf8(answer).expect("UTF-8").to_lowercase(), body)
}

#[tokio::test]
async fn bare_http_reads_what_weir_pushes() {
    let (_, handle) = registry().await;
    let host = handle.host();
    let pushed = push(&format!("oci://{host}/org/apps:v1"), &folder()).await;
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let (head, manifest) = ask(&host, "GET", "/v2/org/apps/manifests/v1", kind, b"").await;
    assert!(
        head.starts_with("http/1.1 200") && head.contains(&format!("content-type: {kind}")),
        "{head}"
    );
    assert_eq!(Digest::of(&manifest).to_string(), pushed["digest"]);
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    assert_eq!(
        manifest["config"]["mediaType"],
        "application/vnd.cncf.flux.config.v1+json"
    );
    let layer = &manifest["layers"][0];
    assert_eq!(
        layer["mediaType"],
        "application/vnd.cncf.flux.content.v1.tar+gzip"
    );
    let digest = layer["digest"].as_str().expect("a digest");
    let (_, blob) = ask(&host, "GET", &format!("/v2/org/apps/blobs/{digest}"), "*/*", b"").await;
    assert_eq!(Digest::of(&blob).to_string(), digest);
    let mut tar = Vec::new();
    flate2::read::GzDecoder::new(blob.as_slice())
        .read_to_end(&mut tar)
        .expect("gzip");
    assert!(tar.windows(16).any(|bytes| bytes == b"kind: ConfigMap\n"));
    handle.shutdown().await;
}

#[tokio::test]
async fn weir_pulls_what_bare_http_pushes() {
    let (_, handle) = registry().await;
    let host = handle.host();
    // What weir packs is put together anew, by hand, in another repository.
    push(&format!("oci://{host}/org/apps:v1"), &folder()).await;
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let (_, manifest) = ask(&host, "GET", "/v2/org/apps/manifests/v1", kind, b"").await;
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    for descriptor in [&manifest["config"], &manifest["layers"][0]] {
        let digest = descriptor["digest"].as_str().expect("a digest");
        let (_, blob) = ask(&host, "GET", &format!("/v2/org/apps/blobs/{digest}"), "*/*", b"").await;
        let path = format!("/v2/hand/made/blobs/uploads/?digest={digest}");
        let (head, _) = ask(&host, "POST", &path, "application/octet-stream", &blob).await;
        assert!(head.starts_with("http/1.1 201"), "{head}");
    }
    let own = json!({"schemaVersion": 2, "mediaType": kind, "config": manifest["config"], "layers": manifest["layers"]});
    let (head, _) = ask(
        &host,
        "PUT",
        "/v2/hand/made/manifests/v2",
        kind,
        own.to_string().as_bytes(),
    )
    .await;
    assert!(head.starts_with("http/1.1 201"), "{head}");
    let out = tempfile::tempdir().expect("a folder");
    let reference = format!("oci://{host}/hand/made:v2");
    let out_path = out.path().to_str().expect("UTF-8");
    weir(&["artifact", "pull", &reference, "--output", out_path])
        .await
        .success();
    assert_eq!(
        std::fs::read_to_string(out.path().join("config.yaml")).expect("reads"),
        "kind: ConfigMap\n"
    );
    handle.shutdown().await;
}

#[tokio::test]
async fn cranes_library_pulls_what_weir_pushes_and_pushes_what_weir_pulls() {
    let program = std::env::home_dir().unwrap_or_default().join(COSIGN);
    if !program.is_file() {
        println!("not run: cosign is not built");
        return;
    }
    let (_, handle) = registry().await;
    let host = handle.host();
    let pushed = push(&format!("oci://{host}/org/apps:v1"), &folder()).await;
    let home = tempfile::tempdir().expect("a folder");
    let mut copy = Command::new(program);
    copy.args(["copy", "--allow-http-registry"])
        .args([format!("{host}/org/apps:v1"), format!("{host}/copied/apps:v1")])
        .env_clear()
        .env("HOME", home.path());
    let out = tokio::task::spawn_blocking(move || copy.output())
        .await
        .expect("runs")
        .expect("runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let into = home.path().join("out");
    let reference = format!("oci://{host}/copied/apps:v1");
    let pulled = weir(&[
        "artifact",
        "pull",
        &reference,
        "--output",
        into.to_str().expect("UTF-8"),
    ])
    .await;
    assert_eq!(
        pulled.success().trim(),
        pushed["digest"].as_str().expect("a digest")
    );
    assert!(into.join("config.yaml").is_file());
    handle.shutdown().await;
}
