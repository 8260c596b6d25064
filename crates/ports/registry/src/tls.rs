//! The TLS configuration: one provider, the platform's roots, private roots, a client certificate.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::options::TlsOptions;

/// # Errors
/// When a certificate or key cannot be read, as text that says which.
pub(crate) fn config(options: &TlsOptions) -> Result<ClientConfig, String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let authorities = certificates(&options.extra_authorities, "the private authority's certificates")?;
    if !options.extra_authorities.is_empty() && authorities.is_empty() {
        return Err("the private authority's certificates hold no PEM certificate".to_owned());
    }
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|err| err.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(verifier(options, authorities, provider)?);
    let mut config = match &options.identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let chain = certificates(&identity.certificate, "the client certificate")?;
            let key = PrivateKeyDer::from_pem_slice(identity.key.expose())
                .map_err(|_| "the client key is no PEM private key".to_owned())?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|err| format!("the client certificate: {err}"))?
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|_| format!("{what} cannot be read"))
}

fn verifier(
    options: &TlsOptions,
    authorities: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    if options.danger_accept_invalid_certificates {
        return Ok(Arc::new(Judge::of(Whom::Everybody, provider)));
    }
    if authorities.is_empty() {
        return Ok(Arc::new(Judge::of(Whom::Platform(OnceLock::new()), provider)));
    }
    match rustls_platform_verifier::Verifier::new_with_extra_roots(authorities.clone(), provider.clone()) {
        Ok(verifier) => Ok(Arc::new(verifier)),
        Err(err) => {
            // An image without a certificate bundle can still talk to registries with a private authority; every other
            // certificate is refused.
            tracing::warn!(%err, "no platform certificates");
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(authorities);
            if roots.is_empty() {
                return Ok(Arc::new(Judge::of(Whom::Nobody, provider)));
            }
            rustls::client::WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map(|verifier| verifier as Arc<dyn ServerCertVerifier>)
                .map_err(|err| err.to_string())
        }
    }
}

/// What is wrong where no server can be trusted, and what to do: an image may have been made with nothing but the program in it.
const NOBODY: &str = "this machine has no certificates of authorities to know a server by: install ca-certificates, mount a bundle \
    at /etc/ssl/certs/ca-certificates.crt, or name one in SSL_CERT_FILE";

/// Which servers are trusted.
#[derive(Debug)]
enum Whom {
    /// Every one, because the options said so.
    Everybody,
    /// None, because there is nothing to trust one by.
    Nobody,
    /// Those whom the platform trusts. Its certificates are read when the first server shows one: that takes a while, and many
    /// clients live shortly and talk over loopback.
    Platform(OnceLock<Arc<dyn ServerCertVerifier>>),
}

/// Decides about servers where no authority of one's own is given.
#[derive(Debug)]
struct Judge {
    whom: Whom,
    provider: Arc<CryptoProvider>,
}

impl Judge {
    fn of(whom: Whom, provider: Arc<CryptoProvider>) -> Self {
        Self { whom, provider }
    }

    fn platform(&self) -> Arc<dyn ServerCertVerifier> {
        let provider = self.provider.clone();
        match rustls_platform_verifier::Verifier::new(provider.clone()) {
            Ok(verifier) => Arc::new(verifier),
            Err(err) => {
                // An image without a certificate bundle: there is nobody to trust.
                tracing::warn!(%err, "no platform certificates");
                Arc::new(Self::of(Whom::Nobody, provider))
            }
        }
    }
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match &self.whom {
            Whom::Everybody => Ok(ServerCertVerified::assertion()),
            Whom::Nobody => Err(rustls::Error::General(NOBODY.to_owned())),
            Whom::Platform(verifier) => verifier.get_or_init(|| self.platform()).verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            ),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_image_without_certificates_says_what_to_do() {
        let judge = Judge::of(Whom::Nobody, Arc::new(aws_lc_rs::default_provider()));
        let server = ServerName::try_from("example.com").unwrap();
        let shown = CertificateDer::from_slice(&[]);
        let error = judge.verify_server_cert(
            &shown,
            &[],
            &server,
            &[],
            UnixTime::since_unix_epoch(Duration::ZERO),
        );
        let said = error.unwrap_err().to_string();
        assert!(said.contains("mount") && said.contains("SSL_CERT_FILE"), "{said}");
    }
}
