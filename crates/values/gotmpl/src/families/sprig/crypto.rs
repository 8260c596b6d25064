//! Hashes, passwords, ciphers; keys and certificates are made by the host.

mod derive;

use aws_lc_rs::cipher::{AES_256, DecryptingKey, DecryptionContext, EncryptingKey, UnboundCipherKey};
use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use data_encoding::HEXLOWER;

use super::strings::decode_base64;
use crate::families::args::{Result, fail, int, string, text, value};
use crate::host::{CertificateRequest, KeyKind};
use crate::types::{Kind, TypeInfo};
use crate::{CallError, Entry, Env, Object, Shape, Signature, Str, Type, Value, fmt, ty};

/// The hashes, which slim-sprig has too.
pub(crate) static HASHES: &[Entry] = &[
    ("sha1sum", ONE, |_, args| {
        Ok(sum(&digest::SHA1_FOR_LEGACY_USE_ONLY, args))
    }),
    ("sha256sum", ONE, |_, args| Ok(sum(&digest::SHA256, args))),
    ("adler32sum", ONE, |_, args| {
        Ok(Value::from(adler32(text(args, 0).as_bytes()).to_string()))
    }),
];

pub(super) static CRYPTO: &[Entry] = &[
    ("sha512sum", ONE, |_, args| Ok(sum(&digest::SHA512, args))),
    ("bcrypt", ONE, |env, args| {
        bcrypt(env, &text(args, 0)).map(Value::from)
    }),
    ("htpasswd", TWO, htpasswd),
    (
        "derivePassword",
        Signature::new(&[&ty::UINT32, &ty::STRING, &ty::STRING, &ty::STRING, &ty::STRING]),
        derive::derive,
    ),
    ("encryptAES", TWO, encrypt),
    ("decryptAES", TWO, decrypt),
    ("genPrivateKey", ONE, private_key),
    ("buildCustomCert", TWO, custom_certificate),
    ("genCA", Signature::new(&[&ty::STRING, &ty::INT]), |env, args| {
        authority(env, args, None)
    }),
    (
        "genCAWithKey",
        Signature::new(&[&ty::STRING, &ty::INT, &ty::STRING]),
        |env, args| authority(env, args, Some(&string(args, 2))),
    ),
    ("genSelfSignedCert", SELF_SIGNED, |env, args| {
        certificate(env, args, None, None)
    }),
    (
        "genSelfSignedCertWithKey",
        Signature::new(&[&ty::STRING, &ty::LIST_ANY, &ty::LIST_ANY, &ty::INT, &ty::STRING]),
        |env, args| certificate(env, args, None, Some(&string(args, 4))),
    ),
    (
        "genSignedCert",
        Signature::new(&[&ty::STRING, &ty::LIST_ANY, &ty::LIST_ANY, &ty::INT, &CERTIFICATE]),
        |env, args| certificate(env, args, args.get(4), None),
    ),
    (
        "genSignedCertWithKey",
        Signature::new(&[
            &ty::STRING,
            &ty::LIST_ANY,
            &ty::LIST_ANY,
            &ty::INT,
            &CERTIFICATE,
            &ty::STRING,
        ]),
        |env, args| certificate(env, args, args.get(4), Some(&string(args, 5))),
    ),
];

const ONE: Signature = Signature {
    params: &[&ty::STRING],
    variadic: false,
};
const TWO: Signature = Signature {
    params: &[&ty::STRING, &ty::STRING],
    variadic: false,
};
const SELF_SIGNED: Signature = Signature {
    params: &[&ty::STRING, &ty::LIST_ANY, &ty::LIST_ANY, &ty::INT],
    variadic: false,
};

/// What one password hash costs in steps: it takes tens of milliseconds.
const HASH_STEPS: usize = 400_000;

fn sum(algorithm: &'static digest::Algorithm, args: &[Value]) -> Value {
    Value::from(HEXLOWER.encode(digest::digest(algorithm, text(args, 0).as_bytes()).as_ref()))
}

fn adler32(bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65_521;
    let (a, b) = bytes.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % MODULUS;
        (a, (b + a) % MODULUS)
    });
    b << 16 | a
}

/// The hash in the form `$2a$10$…`, with Go's default cost.
fn bcrypt(env: &mut Env<'_>, password: &Str) -> std::result::Result<String, CallError> {
    const ALPHABET: &[u8; 64] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const COST: u32 = 10;
    let encode = |bytes: &[u8]| -> String {
        let mut out = String::new();
        for group in bytes.chunks(3) {
            let at = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
            let bits = at(0) << 16 | at(1) << 8 | at(2);
            for index in 0..=group.len() {
                let digit = usize::try_from(bits >> (18 - 6 * index) & 63).unwrap_or(0);
                out.extend(ALPHABET.get(digit).map(|b| char::from(*b)));
            }
        }
        out
    };
    if password.len() > 72 {
        return Ok(
            "failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes".to_owned(),
        );
    }
    env.spend(HASH_STEPS)?;
    let mut salt = [0; 16];
    env.host().random(&mut salt)?;
    let mut key = password.as_bytes().to_vec();
    key.push(0);
    let mut state: blowfish::Blowfish = blowfish::Blowfish::bc_init_state();
    state.salted_expand_key(&salt, &key);
    for _ in 0..1_u32 << COST {
        state.bc_expand_key(&key);
        state.bc_expand_key(&salt);
    }
    let mut text: Vec<u32> = b"OrpheanBeholderScryDoubt"
        .chunks(4)
        .map(|chunk| chunk.iter().fold(0, |word, byte| word << 8 | u32::from(*byte)))
        .collect();
    for pair in text.chunks_mut(2) {
        if let [left, right] = pair {
            for _ in 0..64 {
                [*left, *right] = state.bc_encrypt([*left, *right]);
            }
        }
    }
    let bytes: Vec<u8> = text.iter().flat_map(|word| word.to_be_bytes()).take(23).collect();
    Ok(format!("$2a${COST}${}{}", encode(&salt), encode(&bytes)))
}

fn htpasswd(env: &mut Env<'_>, args: &[Value]) -> Result {
    let user = string(args, 0);
    if user.contains(':') {
        return Ok(Value::from(format!("invalid username: {user}")));
    }
    let hash = bcrypt(env, &text(args, 1))?;
    Ok(Value::from(format!("{user}:{hash}")))
}

// AES in CBC mode, key and padding as sprig has them.

const BLOCK: usize = 16;

fn cipher_key(password: &Str) -> std::result::Result<UnboundCipherKey, CallError> {
    let mut key = [0_u8; 32];
    for (slot, byte) in key.iter_mut().zip(password.as_bytes()) {
        *slot = *byte;
    }
    UnboundCipherKey::new(&AES_256, &key).map_err(|_| fail("cannot make a cipher key"))
}

fn xor(block: &mut [u8], with: &[u8]) {
    for (byte, other) in block.iter_mut().zip(with) {
        *byte ^= other;
    }
}

fn encrypt(env: &mut Env<'_>, args: &[Value]) -> Result {
    let content = text(args, 1);
    if content.is_empty() {
        return Ok(Value::from(""));
    }
    env.reserve(content.len().saturating_mul(2))?;
    let broken = |_| fail("cannot encrypt");
    let key = EncryptingKey::ecb(cipher_key(&text(args, 0))?).map_err(broken)?;
    let mut out = vec![0; BLOCK];
    env.host().random(&mut out)?;
    let padding = BLOCK - content.len() % BLOCK;
    let mut plain = content.as_bytes().to_vec();
    plain.resize(plain.len() + padding, u8::try_from(padding).unwrap_or(0));
    let mut before = out.clone();
    for block in plain.chunks_mut(BLOCK) {
        xor(block, &before);
        key.encrypt(block).map_err(broken)?;
        before = block.to_vec();
        out.extend_from_slice(block);
    }
    Ok(Value::from(STANDARD.encode(out)))
}

fn decrypt(_: &mut Env<'_>, args: &[Value]) -> Result {
    if text(args, 1).is_empty() {
        return Ok(Value::from(""));
    }
    let encoded = text(args, 1);
    let crypt = decode_base64(&encoded).map_err(fail)?;
    let bytes = crypt.as_bytes();
    let Some((iv, body)) = bytes.split_at_checked(BLOCK) else {
        let len = bytes.len();
        // The decoder makes room for what four characters each may hold; Go asks for as much, and only then for what is
        // there.
        let capacity = encoded.len() / 4 * 3;
        return Err(fail(if capacity < BLOCK {
            format!("runtime error: slice bounds out of range [:{BLOCK}] with capacity {capacity}")
        } else {
            format!("runtime error: slice bounds out of range [{BLOCK}:{len}]")
        }));
    };
    if body.len() % BLOCK != 0 {
        return Err(fail("crypto/cipher: input not full blocks"));
    }
    if body.is_empty() {
        return Err(fail("runtime error: index out of range [-1]"));
    }
    let broken = |_| fail("cannot decrypt");
    let key = DecryptingKey::ecb(cipher_key(&text(args, 0))?).map_err(broken)?;
    let mut out = Vec::with_capacity(body.len());
    let mut before = iv.to_vec();
    for block in body.chunks(BLOCK) {
        let mut plain = block.to_vec();
        key.decrypt(&mut plain, DecryptionContext::None).map_err(broken)?;
        xor(&mut plain, &before);
        before = block.to_vec();
        out.extend(plain);
    }
    let padding = usize::from(out.last().copied().unwrap_or(0));
    let Some(len) = out.len().checked_sub(padding) else {
        let end = i64::try_from(out.len()).unwrap_or(0) - i64::try_from(padding).unwrap_or(0);
        return Err(fail(format!("runtime error: slice bounds out of range [:{end}]")));
    };
    out.truncate(len);
    Ok(Value::Str(out.into()))
}

// Keys and certificates.

static CERTIFICATE: TypeInfo = TypeInfo::new("sprig.certificate", Kind::Struct, None);

/// What `genCA` and its kin give.
struct Certificate {
    certificate: String,
    key: String,
}

impl Object for Certificate {
    fn ty(&self) -> Type {
        &CERTIFICATE
    }

    fn shape(&self) -> Shape {
        Shape::Struct(vec![
            ("Cert", Value::from(self.certificate.as_str())),
            ("Key", Value::from(self.key.as_str())),
        ])
    }

    fn equals(&self, other: &dyn Object) -> Option<bool> {
        let other = (other as &dyn std::any::Any).downcast_ref::<Self>()?;
        Some(self.certificate == other.certificate && self.key == other.key)
    }
}

fn private_key(env: &mut Env<'_>, args: &[Value]) -> Result {
    let name = string(args, 0);
    let kind = match name.as_str() {
        "" | "rsa" => KeyKind::Rsa,
        "dsa" => KeyKind::Dsa,
        "ecdsa" => KeyKind::Ecdsa,
        "ed25519" => KeyKind::Ed25519,
        _ => return Ok(Value::from(format!("Unknown type {name}"))),
    };
    env.spend(HASH_STEPS)?;
    env.host().private_key(kind).map(Value::from)
}

fn made(env: &mut Env<'_>, request: &CertificateRequest<'_>) -> Result {
    env.spend(HASH_STEPS)?;
    let (certificate, key) = env.host().certificate(request)?;
    Ok(Value::object(Certificate { certificate, key }))
}

fn authority(env: &mut Env<'_>, args: &[Value], key: Option<&str>) -> Result {
    let common_name = string(args, 0);
    let request = CertificateRequest {
        common_name: &common_name,
        ips: &[],
        names: &[],
        days: int(args, 1),
        is_ca: true,
        signer: None,
        key,
    };
    made(env, &request)
}

fn certificate(env: &mut Env<'_>, args: &[Value], signer: Option<&Value>, key: Option<&str>) -> Result {
    let common_name = string(args, 0);
    let ips = texts(env, &value(args, 1), |shown| {
        format!("error parsing ip: {shown} is not a string")
    })?;
    if let Some(bad) = ips.iter().find(|ip| ip.parse::<std::net::IpAddr>().is_err()) {
        return Err(fail(format!("error parsing ip: {bad}")));
    }
    let complaint = |shown| format!("error processing alternate dns name: {shown} is not a string");
    let names = texts(env, &value(args, 2), complaint)?;
    let signer = signer.and_then(Value::downcast::<Certificate>);
    if signer.is_some_and(|signer| !signer.certificate.contains("-----BEGIN ")) {
        return Err(fail("unable to decode certificate"));
    }
    let request = CertificateRequest {
        common_name: &common_name,
        ips: &ips,
        names: &names,
        days: int(args, 3),
        is_ca: false,
        signer: signer.map(|signer| (signer.certificate.as_str(), signer.key.as_str())),
        key,
    };
    made(env, &request)
}

/// A list of texts, or what Go says of something else in it.
fn texts(
    env: &mut Env<'_>,
    list: &Value,
    complaint: impl Fn(String) -> String,
) -> std::result::Result<Vec<String>, CallError> {
    let Value::List(list) = list else {
        return Ok(Vec::new());
    };
    let mut out = Vec::new();
    for item in list.items() {
        match item {
            Value::Str(text) => out.push(text.to_str().into_owned()),
            other => {
                let shown = fmt::print(env, std::slice::from_ref(other))?;
                return Err(fail(complaint(String::from_utf8_lossy(&shown).into_owned())));
            }
        }
    }
    Ok(out)
}

fn custom_certificate(_: &mut Env<'_>, args: &[Value]) -> Result {
    let certificate = decode_base64(&text(args, 0))
        .map_err(|_| fail("unable to decode base64 certificate"))?
        .to_str()
        .into_owned();
    let key = decode_base64(&text(args, 1))
        .map_err(|_| fail("unable to decode base64 private key"))?
        .to_str()
        .into_owned();
    if pem_type(&certificate).is_none() {
        return Err(fail("unable to decode certificate"));
    }
    let refused = |message: String| fail(format!("error parsing private key: {message}"));
    match pem_type(&key) {
        None => return Err(refused("no PEM data in input".to_owned())),
        Some("PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" | "DSA PRIVATE KEY") => {}
        Some(kind) => {
            return Err(refused(match kind.strip_suffix(" PRIVATE KEY") {
                Some(kind) => format!("invalid private key type {kind}"),
                None => format!("no private key data in PEM block of type {kind}"),
            }));
        }
    }
    Ok(Value::object(Certificate { certificate, key }))
}

/// What the first PEM block of the text holds, if there is a whole one.
fn pem_type(text: &str) -> Option<&str> {
    let start = text.find("-----BEGIN ")? + "-----BEGIN ".len();
    let rest = text.get(start..)?;
    let kind = rest.get(..rest.find("-----")?)?;
    let body = rest.get(kind.len() + 5..)?;
    let end = body.find(&format!("-----END {kind}-----"))?;
    let digits: String = body.get(..end)?.split_whitespace().collect();
    STANDARD.decode(digits).ok().map(|_| kind)
}
