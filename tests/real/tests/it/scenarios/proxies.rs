//! Registries behind a proxy.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, ensure};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use weir_apis::condition::{READY, Status};
use weir_real::{Ground, files};

use super::text::config;

/// Passes each request on to `server` where it carries the credentials, and counts them.
async fn proxy(server: String, credentials: &'static str) -> Result<(String, Arc<AtomicUsize>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let passed = Arc::new(AtomicUsize::new(0));
    let count = passed.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (server, count) = (server.clone(), count.clone());
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await?);
                }
                if !String::from_utf8_lossy(&head).contains(credentials) {
                    let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
                    return stream.write_all(refusal).await;
                }
                count.fetch_add(1, Ordering::Relaxed);
                let mut to = TcpStream::connect(&server).await?;
                to.write_all(&head).await?;
                tokio::io::copy_bidirectional(&mut stream, &mut to)
                    .await
                    .map(drop)
            });
        }
    });
    Ok((address, passed))
}

pub(crate) async fn a_source_goes_through_the_proxy_of_its_secret(ground: &Ground) -> Result<()> {
    let ns = "proxies";
    ground.namespace(ns).await?;
    let tree = files([("a.yaml", &config(ns, "settings", "blue"))]);
    ground.publish(ns, "latest", &tree).await?;
    // robot:hunter2
    let (address, passed) = proxy(ground.registry_host(), "cm9ib3Q6aHVudGVyMg==").await?;
    let secret = |data: serde_json::Value| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "way", "namespace": ns}, "stringData": data});
    ground.apply_json(secret(json!({"username": "robot"}))).await?;
    let spec = json!({"interval": "1h", "url": format!("oci://registry.example/{ns}"), "ref": {"tag": "latest"},
        "proxySecretRef": {"name": "way"}});
    let source = ground.source_with(ns, ns, spec).await?;
    let message = ground
        .until_condition(&source, READY, Status::False, "AuthenticationFailed")
        .await?;
    ensure!(message.contains("no key 'address'"), "{message}");

    ground
        .apply_json(secret(
            json!({"address": address, "username": "robot", "password": "wrong-password"}),
        ))
        .await?;
    ground.reconcile(&source).await?;
    let live = ground
        .until(&source, |live| {
            weir_apis::condition::Conditions::of(live)
                .get(READY)
                .is_some_and(|ready| ready.message.contains("407"))
        })
        .await?;
    let text = serde_json::Value::Object(live.as_map().clone()).to_string();
    ensure!(!text.contains("wrong-password"), "{text}");
    ensure!(passed.load(Ordering::Relaxed) == 0);

    ground
        .apply_json(secret(
            json!({"address": address, "username": "robot", "password": "hunter2"}),
        ))
        .await?;
    ground.reconcile(&source).await?;
    ground.until_ready(&source).await?;
    ensure!(passed.load(Ordering::Relaxed) > 0, "it went another way");
    Ok(())
}
