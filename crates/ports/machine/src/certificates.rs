//! Keys and certificates for charts that make their own.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256, RsaKeySize, SanType,
    SerialNumber, date_time_ymd,
};
use weir_gotmpl::{CertificateRequest, KeyKind};

type Made<T> = Result<T, String>;

fn failed(error: rcgen::Error) -> String {
    error.to_string()
}

/// A new key in the PEM form that Go's sprig writes.
pub(super) fn private_key(kind: KeyKind) -> Made<String> {
    match kind {
        KeyKind::Rsa => {
            rsa_pem(&KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_4096).map_err(failed)?)
        }
        KeyKind::Ecdsa => {
            let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
            let der = key.serialize_der();
            let inner = inner_key(&der).ok_or("the new key has a strange form")?;
            Ok(pem("EC PRIVATE KEY", inner))
        }
        KeyKind::Ed25519 => Ok(KeyPair::generate_for(&PKCS_ED25519)
            .map_err(failed)?
            .serialize_pem()),
        KeyKind::Dsa => Err("DSA keys are broken, and are not made".to_owned()),
    }
}

fn rsa_pem(key: &KeyPair) -> Made<String> {
    let der = key.serialize_der();
    let inner = inner_key(&der).ok_or("the new key has a strange form")?;
    Ok(pem("RSA PRIVATE KEY", inner))
}

/// The algorithm's own form of a key within PKCS #8: the content of its third element, an octet string.
fn inner_key(der: &[u8]) -> Option<&[u8]> {
    let (0x30, content, _) = element(der)? else {
        return None;
    };
    let (0x02, _, rest) = element(content)? else {
        return None;
    };
    let (0x30, _, rest) = element(rest)? else {
        return None;
    };
    match element(rest)? {
        (0x04, key, _) => Some(key),
        _ => None,
    }
}

/// Tag, content and rest of a DER element.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        let length = bytes.iter().try_fold(0_usize, |length, byte| {
            length.checked_mul(256).map(|length| length + usize::from(*byte))
        })?;
        (length, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut out = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(64) {
        out.push_str(&String::from_utf8_lossy(line));
        out.push('\n');
    }
    format!("{out}-----END {label}-----\n")
}

/// A certificate and its key, signed by itself or by the one that is named.
pub(super) fn certificate(request: &CertificateRequest<'_>, now: Timestamp) -> Made<(String, String)> {
    let (key, key_pem) = if let Some(text) = request.key {
        (KeyPair::from_pem(text).map_err(failed)?, text.to_owned())
    } else {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).map_err(failed)?;
        let text = rsa_pem(&key)?;
        (key, text)
    };
    let params = params(request, now)?;
    let certificate = match request.signer {
        None => params.self_signed(&key).map_err(failed)?,
        Some((certificate, key_of_signer)) => {
            let signing = KeyPair::from_pem(key_of_signer).map_err(failed)?;
            let issuer = Issuer::from_ca_cert_pem(certificate, signing).map_err(failed)?;
            params.signed_by(&key, &issuer).map_err(failed)?
        }
    };
    Ok((certificate.pem(), key_pem))
}

fn params(request: &CertificateRequest<'_>, now: Timestamp) -> Made<CertificateParams> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, request.common_name);
    let mut serial = [0; 16];
    aws_lc_rs::rand::fill(&mut serial).map_err(|_| "no source of random bytes")?;
    // A serial number is positive.
    serial[0] &= 0x7f;
    params.serial_number = Some(SerialNumber::from(serial.to_vec()));
    let from = now.to_zoned(TimeZone::UTC).date();
    let to = from
        .checked_add(request.days.days())
        .map_err(|error| error.to_string())?;
    let day = |date: jiff::civil::Date| {
        let number = |part: i8| u8::try_from(part).unwrap_or(1);
        date_time_ymd(date.year().into(), number(date.month()), number(date.day()))
    };
    params.not_before = day(from);
    params.not_after = day(to);
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyEncipherment,
    ];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    if request.is_ca {
        params.key_usages.push(KeyUsagePurpose::KeyCertSign);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    } else {
        params.is_ca = IsCa::ExplicitNoCa;
    }
    for address in request.ips {
        let address = address
            .parse()
            .map_err(|_| format!("{address} is no IP address"))?;
        params.subject_alt_names.push(SanType::IpAddress(address));
    }
    for name in request.names {
        let name = name.as_str().try_into().map_err(failed)?;
        params.subject_alt_names.push(SanType::DnsName(name));
    }
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'a>(name: &'a str, is_ca: bool, signer: Option<(&'a str, &'a str)>) -> CertificateRequest<'a> {
        CertificateRequest {
            common_name: name,
            ips: &[],
            names: &[],
            days: 30,
            is_ca,
            signer,
            key: None,
        }
    }

    #[test]
    fn a_ca_signs_for_others() {
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().expect("a time");
        let (ca, ca_key) = certificate(&request("ca", true, None), now).expect("makes a CA");
        assert!(ca_key.starts_with("-----BEGIN RSA PRIVATE KEY-----\n"));
        let (leaf, _) = certificate(&request("leaf", false, Some((&ca, &ca_key))), now).expect("signs");
        assert!(leaf.starts_with("-----BEGIN CERTIFICATE-----\n") && leaf != ca);
        // What was made can be used again as a key.
        let mut again = request("again", false, None);
        again.key = Some(&ca_key);
        assert_eq!(certificate(&again, now).expect("takes the key").1, ca_key);
    }

    #[test]
    fn keys_have_the_forms_of_go() {
        for (kind, label) in [
            (KeyKind::Ecdsa, "EC PRIVATE KEY"),
            (KeyKind::Ed25519, "PRIVATE KEY"),
        ] {
            let text = private_key(kind).expect("makes a key");
            assert!(text.starts_with(&format!("-----BEGIN {label}-----")), "{text}");
        }
        assert!(private_key(KeyKind::Dsa).is_err());
    }
}
