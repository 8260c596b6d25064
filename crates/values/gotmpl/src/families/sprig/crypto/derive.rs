//! `derivePassword`: the Master Password algorithm.

use aws_lc_rs::hmac;

use crate::families::args::{Result, fail, string, text};
use crate::{Env, Str, Value};

const SEED: &[u8] = b"com.lyndir.masterpassword";

/// What scrypt costs in steps: it takes a tenth of a second and 32 MiB.
const STEPS: usize = 2_000_000;

fn templates(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "maximum" => &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"],
        "long" => &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
        "medium" => &["CvcnoCvc", "CvcCvcno"],
        "short" => &["Cvcn"],
        "basic" => &["aaanaaan", "aannaaan", "aaannaaa"],
        "pin" => &["nnnn"],
        _ => return None,
    })
}

fn characters(class: u8) -> &'static [u8] {
    match class {
        b'V' => b"AEIOU",
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'A' => b"AEIOUBCDFGHJKLMNPQRSTVWXYZ",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

/// A text behind its length.
fn push(out: &mut Vec<u8>, text: &Str) {
    out.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

pub(super) fn derive(env: &mut Env<'_>, args: &[Value]) -> Result {
    let counter = match args.first() {
        Some(Value::Uint(counter, _)) => u32::try_from(*counter).unwrap_or(0),
        _ => 0,
    };
    let kind = string(args, 1);
    let Some(templates) = templates(&kind) else {
        return Ok(Value::from(format!("cannot find password template {kind}")));
    };
    env.spend(STEPS)?;
    let mut salt = SEED.to_vec();
    push(&mut salt, &text(args, 3));
    let mut key = [0; 64];
    let params = scrypt::Params::new(15, 8, 2, 32).map_err(|error| fail(error.to_string()))?;
    scrypt::scrypt(text(args, 2).as_bytes(), &salt, &params, &mut key)
        .map_err(|error| fail(error.to_string()))?;
    let mut message = SEED.to_vec();
    push(&mut message, &text(args, 4));
    message.extend_from_slice(&counter.to_be_bytes());
    let seed = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &message);
    let seed = seed.as_ref();
    let at = |index: usize| usize::from(seed.get(index).copied().unwrap_or(0));
    let template = templates
        .get(at(0) % templates.len())
        .copied()
        .unwrap_or_default();
    let password = template.bytes().enumerate().filter_map(|(index, class)| {
        let choice = characters(class);
        choice.get(at(index + 1) % choice.len()).map(|b| char::from(*b))
    });
    Ok(Value::from(password.collect::<String>()))
}
