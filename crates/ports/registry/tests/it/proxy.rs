//! Through a proxy: what it is asked for, and what it gets to know.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use weir_registry::{Client, ClientOptions, ProxyOptions, TlsOptions};

use crate::support::{self, chain};
use crate::tls::{Authority, serve};

/// The request heads that a proxy has seen.
type Heads = Arc<Mutex<Vec<String>>>;

/// A proxy in front of one server, whatever host it is asked for.
async fn proxy(server: SocketAddr) -> (SocketAddr, Heads) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heads = Heads::default();
    let seen = heads.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let seen = seen.clone();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await?);
                }
                let text = String::from_utf8_lossy(&head).into_owned();
                let is_tunnel = text.starts_with("CONNECT ");
                seen.lock().unwrap().push(text);
                let mut to = TcpStream::connect(server).await?;
                if is_tunnel {
                    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
                } else {
                    to.write_all(&head).await?;
                }
                tokio::io::copy_bidirectional(&mut stream, &mut to).await
            });
        }
    });
    (address, heads)
}

fn through(proxy: SocketAddr) -> weir_redact::RedactedUrl {
    let address: url::Url = format!("http://weir:s3cr3t@{proxy}").parse().unwrap();
    address.into()
}

#[tokio::test]
async fn a_registry_is_reached_through_a_tunnel_that_knows_its_name_alone() {
    let authority = Authority::new();
    let (server, _) = serve(&authority, None).await;
    let (address, heads) = proxy(server).await;
    let options = |no_proxy: Option<&str>| ClientOptions {
        proxy: ProxyOptions {
            https: Some(through(address)),
            no_proxy: no_proxy.map(str::to_owned),
            ..ProxyOptions::default()
        },
        tls: TlsOptions {
            extra_authorities: authority.pem(),
            ..TlsOptions::default()
        },
        ..support::options()
    };
    // No resolver knows this name: nobody but the proxy can have led there.
    let repository = "registry.example/org/app".parse().unwrap();
    let client = Client::new(options(None)).unwrap();
    assert_eq!(client.tags(&repository).await.unwrap(), ["v1"]);
    let seen = heads.lock().unwrap().clone();
    assert!(!seen.is_empty());
    let credentials = STANDARD.encode("weir:s3cr3t");
    for head in &seen {
        assert!(head.starts_with("CONNECT registry.example:443 "), "{head}");
        assert!(head.contains(&credentials), "{head}");
        assert!(!head.contains("org/app"), "{head}");
    }
    let around = Client::new(options(Some("registry.example"))).unwrap();
    let error = chain(&around.tags(&repository).await.unwrap_err());
    assert!(!error.contains("s3cr3t"), "{error}");
    assert_eq!(
        heads.lock().unwrap().len(),
        seen.len(),
        "it went through the proxy"
    );
}

#[tokio::test]
async fn plain_http_goes_through_its_own_proxy() {
    let world = support::world(weir_standin_registry::Options::default()).await;
    world.seed("v1", b"layer");
    let host = world.repository.registry().to_string();
    let (address, heads) = proxy(host.parse().unwrap()).await;
    let client = Client::new(ClientOptions {
        proxy: ProxyOptions {
            http: Some(through(address)),
            ..ProxyOptions::default()
        },
        ..support::options()
    })
    .unwrap();
    assert_eq!(client.tags(&world.repository).await.unwrap(), ["v1"]);
    let seen = heads.lock().unwrap().clone();
    assert!(seen[0].starts_with(&format!("GET http://{host}/v2/")), "{seen:?}");
}

#[tokio::test]
async fn a_proxy_that_does_not_answer_is_named_without_its_password() {
    let gone = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let client = Client::new(ClientOptions {
        proxy: ProxyOptions {
            https: Some(through(gone)),
            ..ProxyOptions::default()
        },
        ..support::options()
    })
    .unwrap();
    let repository = "registry.example/org/app".parse().unwrap();
    let error = chain(&client.tags(&repository).await.unwrap_err());
    assert!(error.contains("registry.example"), "{error}");
    assert!(!error.contains("s3cr3t"), "{error}");
}
