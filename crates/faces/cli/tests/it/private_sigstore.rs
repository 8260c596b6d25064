//! A Sigstore of one's own: its trust root made of PEM files, and its services behind TLS by an authority of one's own.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use weir_standin_sigstore::{Holder, Options, Rekor, Sigstore, TufRepository};

use crate::harness::{weir, weir_with};
use crate::sign_keyless::{COSIGN, ISSUER, SUBJECT, World};

fn pem(label: &str, base64: &Value) -> String {
    let text = base64.as_str().expect("base64");
    let lines: Vec<String> = text
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

/// The options that describe an instance, its parts written into files.
fn options(world: &World, root: &Value) -> Vec<String> {
    let mut options = Vec::new();
    for (option, field) in [
        ("--fulcio", "certificateAuthorities"),
        ("--tsa", "timestampAuthorities"),
    ] {
        let entry = &root[field][0];
        let chain = entry["certChain"]["certificates"].as_array().expect("a chain");
        let text: String = chain
            .iter()
            .map(|one| pem("CERTIFICATE", &one["rawBytes"]))
            .collect();
        let file = world.write(&format!("{field}.pem"), &text);
        let url = entry["uri"].as_str().expect("an address");
        options.extend([option.to_owned(), format!("url={url},certificate-chain={file}")]);
    }
    for (option, field, index, origin) in [
        ("--ctfe", "ctlogs", 0, ""),
        ("--rekor", "tlogs", 0, ""),
        ("--rekor", "tlogs", 1, ",origin=127.0.0.1"),
    ] {
        let entry = &root[field][index];
        let text = pem("PUBLIC KEY", &entry["publicKey"]["rawBytes"]);
        let file = world.write(&format!("{field}{index}.pub"), &text);
        let url = entry["baseUrl"].as_str().expect("an address");
        let start = entry["publicKey"]["validFor"]["start"].as_str().expect("a time");
        let spec =
            format!("url={url},public-key={file},start-time={start},end-time=2046-01-01T00:00:00Z{origin}");
        options.extend([option.to_owned(), spec]);
    }
    options
}

/// The same whatever the order of entries and the number of zeros in times.
fn normal(mut root: Value) -> Value {
    for (_, entries) in root.as_object_mut().expect("an object") {
        let Some(entries) = entries.as_array_mut() else {
            continue;
        };
        for entry in entries.iter_mut() {
            for place in ["/validFor", "/publicKey/validFor"] {
                let window = entry.pointer_mut(place).and_then(Value::as_object_mut);
                for (_, time) in window.into_iter().flatten() {
                    let read: Timestamp = time.as_str().expect("a time").parse().expect("a time");
                    *time = read.to_string().into();
                }
            }
        }
        entries.sort_by_key(ToString::to_string);
    }
    root
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trust_root_of_pem_files_is_the_one_that_cosign_makes_and_verifies_what_the_instance_signs() {
    let world = World::new().await;
    let theirs = world.sigstore().trusted_root();
    let options = options(&world, &theirs);
    let mut args = vec!["trust", "create"];
    args.extend(options.iter().map(String::as_str));
    let made = weir(&args).await.success();

    let cosign = std::env::home_dir().unwrap_or_default().join(COSIGN);
    if cosign.is_file() {
        let mut command = Command::new(cosign);
        command.env_clear().env("HOME", world.path(""));
        let ran = command.args(["trusted-root", "create"]).args(&options).output();
        let ran = ran.expect("runs");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let read = |text: &[u8]| normal(serde_json::from_slice(text).expect("JSON"));
        assert_eq!(read(made.as_bytes()), read(&ran.stdout));
    } else {
        println!("not run: cosign is not built");
    }

    let token = world.token(SUBJECT);
    for config in ["v1.json", "v2.json"] {
        world.write("root.json", &made);
        let signed = world.keyless("sign", config, &[], |io| io.with_env("SIGSTORE_ID_TOKEN", &token));
        signed.await.success();
        world.verify_with(SUBJECT, &[]).await.success();
        assert_ne!(world.cosign_accepts(&["verify"], SUBJECT).await, Some(false));
    }
    world.handle.shutdown().await;
}

#[tokio::test]
async fn what_makes_no_trust_root_says_which_file_and_what_to_write() {
    let world = World::new().await;
    let theirs = world.sigstore().trusted_root();
    let options = options(&world, &theirs);
    let run = async |changed: usize, value: &str| {
        let mut args = vec!["trust", "create"];
        args.extend(options.iter().map(String::as_str));
        args[changed] = value;
        weir(&args).await
    };
    let bad = world.write("bad.pem", "nothing");
    let spec = format!("url=https://x.example,certificate-chain={bad}");
    let said = run(3, &spec).await.failure();
    assert!(said.contains("bad.pem as a certificate authority"), "{said}");
    assert!(said.contains("no PEM blocks of certificates"), "{said}");
    for (at, value, says) in [
        (3, "url=https://x.example", "without `certificate-chain`"),
        (3, "certificate-chain=x,public-key=y", "says nothing about"),
        (7, "url=https://x.example,public-key=x", "without `start-time`"),
        (
            7,
            "url=https://x.example,public-key=x,start-time=2026",
            "2026-01-31T00:00:00Z",
        ),
        (3, "url", "no KEY=VALUE"),
        (3, "uri=https://x.example", "`uri` is not known"),
        (3, "url=a,url=b", "given twice"),
    ] {
        let said = run(at, value).await.usage();
        assert!(said.contains(says), "{value}: {said}");
    }
    world.handle.shutdown().await;
}

/// An authority for TLS, and a listener with a certificate of it.
struct Secure {
    inner: TcpListener,
    acceptor: TlsAcceptor,
}

impl Secure {
    /// The listener, its port and the authority's certificate.
    async fn bind() -> (Self, u16, String) {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority =
            CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("signs");
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("parameters");
        let certificate = params.signed_by(&key, &authority).expect("signs").pem();
        let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).expect("a certificate");
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).expect("a key");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("a configuration");
        let inner = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = inner.local_addr().expect("an address").port();
        let listener = Self {
            inner,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        };
        (listener, port, authority.pem())
    }
}

impl axum::serve::Listener for Secure {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            if let Ok((stream, address)) = self.inner.accept().await
                && let Ok(stream) = self.acceptor.accept(stream).await
            {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.inner.local_addr()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n27_services_behind_an_authority_of_ones_own_are_reached_with_it_alone() {
    let world = World::new().await;
    let (listener, port, authority) = Secure::bind().await;
    let options = Options {
        url: Some(format!("https://127.0.0.1:{port}")),
        ..Options::default()
    };
    let sigstore = Sigstore::with(Timestamp::now() - SignedDuration::from_hours(1), &options);
    let router = sigstore.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let ca = world.write("ca.pem", &authority);
    world.write("root.json", &sigstore.trusted_root().to_string());
    world.write("own.json", &sigstore.signing_config(Rekor::V2).to_string());
    let token = sigstore.token(&Holder::new(ISSUER, SUBJECT), Timestamp::now());
    let sign = async |more: &[&str]| {
        let with = |io: weir_cli::Io| io.with_env("SIGSTORE_ID_TOKEN", &token);
        world.keyless("sign", "own.json", more, with).await
    };
    let said = sign(&[]).await.failure();
    assert!(said.contains("ask the certificate authority (Fulcio)"), "{said}");
    assert!(said.contains("`--ca-file`"), "{said}");
    sign(&["--ca-file", &ca]).await.success();
    world.verify_with(SUBJECT, &[]).await.success();

    let (listener, port, authority) = Secure::bind().await;
    let now = Timestamp::now();
    let documents = [(
        "trusted_root.json".to_owned(),
        sigstore.trusted_root().to_string().into(),
    )];
    let repository = TufRepository::new(now, documents.into());
    let router = repository.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let ca = world.write("other.pem", &authority);
    let first = world.write(
        "first.json",
        &String::from_utf8(repository.root(1)).expect("UTF-8"),
    );
    let (url, dir) = (format!("https://127.0.0.1:{port}"), world.path("trust"));
    let update = async |more: &[&str]| {
        let args = [
            "trust", "update", "--mirror", &url, "--root", &first, "--dir", &dir,
        ];
        let args = [args.as_slice(), more].concat();
        weir_with(&args, |io| io.with_clock(Arc::new(Timestamp::now))).await
    };
    let said = update(&[]).await.failure();
    assert!(said.contains("`--ca-file`"), "{said}");
    update(&["--ca-file", &ca]).await.success();
    world.handle.shutdown().await;
}
