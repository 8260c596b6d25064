//! HTTPS with private authorities and client certificates.

use std::net::SocketAddr;
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use weir_oci::Repository;
use weir_registry::{Client, ClientIdentity, ClientOptions, ErrorKind, PlainHttp, RetryOptions, TlsOptions};
use weir_standin_registry::{Options, Registry};

use crate::support::chain;

pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> Vec<u8> {
        self.0.pem().into_bytes()
    }

    /// A certificate and its key, PEM.
    fn issue(&self, names: &[&str]) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params =
            CertificateParams::new(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()).unwrap();
        (
            params.signed_by(&key, &self.0).unwrap().pem(),
            key.serialize_pem(),
        )
    }
}

/// A registry behind TLS, for its address and for `registry.example`, with one repository. With `clients`, it wants
/// certificates of that authority.
pub(crate) async fn serve(server: &Authority, clients: Option<&Authority>) -> (SocketAddr, Repository) {
    use rustls::pki_types::pem::PemObject as _;
    let (certificate, key) = server.issue(&["127.0.0.1", "registry.example"]);
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots
                .add(CertificateDer::from_pem_slice(&authority.pem()).unwrap())
                .unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let acceptor = TlsAcceptor::from(Arc::new(
        builder.with_single_cert(vec![certificate], key).unwrap(),
    ));
    let registry = Registry::new(Options::default());
    registry.put_blob("org/app", b"{}".as_slice());
    registry
        .put_manifest(
            "org/app",
            Some("v1"),
            crate::support::manifest(b"x"),
            weir_oci::media_type::OCI_MANIFEST,
        )
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, router) = (acceptor.clone(), registry.router());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    let service = TowerToHyperService::new(router);
                    let connection = hyper::server::conn::http1::Builder::new();
                    drop(connection.serve_connection(TokioIo::new(stream), service).await);
                }
            });
        }
    });
    (address, format!("{address}/org/app").parse().unwrap())
}

fn client(tls: TlsOptions) -> weir_registry::Result<Client> {
    let retry = RetryOptions {
        attempts: 1,
        ..RetryOptions::default()
    };
    Client::new(ClientOptions {
        tls,
        retry,
        plain_http: PlainHttp::Never,
        ..ClientOptions::default()
    })
}

#[tokio::test]
async fn n27_a_private_authority_is_trusted_only_when_given() {
    let authority = Authority::new();
    let (_, repository) = serve(&authority, None).await;
    let err = client(TlsOptions::default())
        .unwrap()
        .tags(&repository)
        .await
        .unwrap_err();
    assert!(matches!(err.kind(), ErrorKind::Connect(_)), "{err:?}");
    assert!(chain(&err).contains("certificate"), "{}", chain(&err));
    let other = TlsOptions {
        extra_authorities: Authority::new().pem(),
        ..TlsOptions::default()
    };
    assert!(client(other).unwrap().tags(&repository).await.is_err());
    let right = TlsOptions {
        extra_authorities: authority.pem(),
        ..TlsOptions::default()
    };
    assert_eq!(client(right).unwrap().tags(&repository).await.unwrap(), ["v1"]);
    let any = TlsOptions {
        danger_accept_invalid_certificates: true,
        ..TlsOptions::default()
    };
    assert_eq!(client(any).unwrap().tags(&repository).await.unwrap(), ["v1"]);
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_who_asks() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let (_, repository) = serve(&authority, Some(&clients)).await;
    let without = TlsOptions {
        extra_authorities: authority.pem(),
        ..TlsOptions::default()
    };
    assert!(client(without.clone()).unwrap().tags(&repository).await.is_err());
    let (certificate, key) = clients.issue(&["weir"]);
    let identity = ClientIdentity {
        certificate: certificate.into_bytes(),
        key: key.into_bytes().into(),
    };
    let with = TlsOptions {
        identity: Some(identity),
        ..without
    };
    assert_eq!(client(with).unwrap().tags(&repository).await.unwrap(), ["v1"]);
}

#[test]
fn broken_certificates_are_named_and_keys_are_not_shown() {
    let junk = TlsOptions {
        extra_authorities: b"junk".to_vec(),
        ..TlsOptions::default()
    };
    assert!(chain(&client(junk).unwrap_err()).contains("authority"));
    let key = b"s3cr3t-key".to_vec();
    let identity = ClientIdentity {
        certificate: Vec::new(),
        key: key.into(),
    };
    let broken = TlsOptions {
        identity: Some(identity),
        ..TlsOptions::default()
    };
    let err = client(broken).unwrap_err();
    assert!(chain(&err).contains("client") && !format!("{err:?}").contains("s3cr3t"));
}
