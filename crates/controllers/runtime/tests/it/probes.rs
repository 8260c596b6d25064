//! The server for the kubelet and Prometheus, over loopback.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use weir_runtime::probes::{Readiness, Routes};
use weir_runtime::{Metrics, Probes};

const ANYWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

async fn ask(address: SocketAddr, method: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("the server answers");
    let request = format!("{method} {path} HTTP/1.1\r\nhost: weir\r\nconnection: close\r\n\r\n");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("the server answers");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .await
        .expect("the server answers");
    answer
}

#[tokio::test]
async fn readiness_is_told_apart_from_health() {
    let ready = Readiness::default();
    let routes = Routes {
        health: Some(ready.clone()),
        metrics: None,
    };
    let probes = Probes::start(ANYWHERE, routes).await.unwrap();
    let status = async |method: &str, path: &str| {
        let answer = ask(probes.address(), method, path).await;
        answer.get(9..12).unwrap_or_default().to_owned()
    };
    assert_eq!(status("GET", "/healthz").await, "200");
    assert_eq!(status("GET", "/readyz").await, "503");
    ready.set(true);
    assert_eq!(status("GET", "/readyz?verbose").await, "200");
    assert_eq!(status("HEAD", "/readyz").await, "200");
    assert_eq!(status("POST", "/readyz").await, "405");
    ready.block(Some("something must come first"));
    let answer = ask(probes.address(), "GET", "/readyz").await;
    assert!(
        answer.contains("503") && answer.ends_with("not ready: something must come first"),
        "{answer}"
    );
    ready.block(None);
    assert_eq!(status("GET", "/readyz").await, "200");
    assert_eq!(status("GET", "/metrics").await, "404");
    assert_eq!(status("GET", "/healthz/../metrics").await, "404");
}

#[tokio::test]
async fn metrics_are_served_as_openmetrics() {
    let routes = Routes {
        health: None,
        metrics: Some(Metrics::default()),
    };
    let probes = Probes::start(ANYWHERE, routes).await.unwrap();
    let answer = ask(probes.address(), "GET", "/metrics").await;
    assert!(
        answer.contains("content-type: application/openmetrics-text; version=1.0.0"),
        "{answer}"
    );
    assert!(answer.ends_with("# EOF\n"), "{answer}");
}

#[tokio::test]
async fn a_dropped_server_closes_its_connections_and_port() {
    let routes = Routes {
        health: Some(Readiness::default()),
        metrics: None,
    };
    let probes = Probes::start(ANYWHERE, routes).await.unwrap();
    let address = probes.address();
    let mut open = TcpStream::connect(address).await.unwrap();
    open.write_all(b"GET /healthz HTTP/1.1\r\nhost: weir\r\n\r\n")
        .await
        .unwrap();
    let mut first = [0; 15];
    open.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    drop(probes);
    let mut rest = Vec::new();
    // Either an end or a reset: the connection is over.
    let _ended = open.read_to_end(&mut rest).await;
    // The task ends at its next turn.
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let first = Probes::start(ANYWHERE, Routes::default()).await.unwrap();
    let refused = Probes::start(first.address(), Routes::default())
        .await
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!("cannot listen on {} for probes", first.address())
    );
}
