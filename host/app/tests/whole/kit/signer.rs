//! Somebody who signs components in minisign's plain form. That `minisign` itself is understood is
//! tested with what it made, in host/provenance.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_eddsa_type;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::sign::SigningKey;

/// What stands before the 32 bytes of a key in PKCS #8.
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
];

/// A pair of keys.
pub(crate) struct Signer {
    seed: u8,
    key: Arc<dyn SigningKey>,
}

impl Signer {
    /// The same keys for the same number.
    pub(crate) fn new(seed: u8) -> Self {
        let der: Vec<u8> = PKCS8.into_iter().chain([seed; 32]).collect();
        let key = any_eddsa_type(&PrivatePkcs8KeyDer::from(der)).expect("a key");
        Self { seed, key }
    }

    /// The public key, as `minisign.pub` holds it in its second line.
    pub(crate) fn public_key(&self) -> String {
        let der = self.key.public_key().expect("it has one");
        let key = &der[der.len() - 32..];
        STANDARD.encode([&b"Ed"[..], &[self.seed; 8], key].concat())
    }

    /// The id of the key, as it is printed.
    pub(crate) fn id(&self) -> String {
        format!("{:02X}", self.seed).repeat(8)
    }

    /// The text of a `.minisig` file.
    pub(crate) fn sign(&self, bytes: &[u8], comment: &str) -> String {
        let signature = self.ed25519(bytes);
        let whole = self.ed25519(&[&signature, comment.as_bytes()].concat());
        let first = STANDARD.encode([&b"Ed"[..], &[self.seed; 8], &signature].concat());
        let second = STANDARD.encode(whole);
        format!("untrusted comment: x\n{first}\ntrusted comment: {comment}\n{second}\n")
    }

    fn ed25519(&self, bytes: &[u8]) -> Vec<u8> {
        let signer = self.key.choose_scheme(&[SignatureScheme::ED25519]);
        signer.expect("it can").sign(bytes).expect("a signature")
    }
}
