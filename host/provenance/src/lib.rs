//! Where a component comes from, and whether that is good enough.
//!
//! Two parts that know nothing of each other. *Trust* is a decision: [`Policy::judge`] takes the
//! hash of a file and the signature beside it and says by what it is trusted, or why it is not; it
//! touches nothing. *Pulling* fetches a component from an OCI registry ([`Puller`]), checks every
//! digest on the way and keeps what it fetched in a [`Cache`], so that a host starts without its
//! registry.
//!
//! ```text
//! oci://host/name:tag@sha256:…  ─▶ Reference ─▶ manifest ─▶ layer ─▶ bytes ─┐
//! NAME.wasm, NAME.wasm.minisig  ────────────────────────────────────────────┴▶ Policy ─▶ TrustedBy
//! ```
//! What a component does is not known here, and nothing of it is compiled or run.

mod cache;
mod challenge;
mod hash;
mod manifest;
mod minisign;
mod policy;
mod pull;
mod reference;
mod registry;
mod settings;
mod tls;

pub use cache::{Cache, CacheError};
pub use hash::{NotASha256, Sha256};
pub use manifest::ManifestError;
pub use minisign::{Key, SIGNATURE_BYTES_MAX, WrongKey, key_of};
pub use policy::{Evidence, Policy, Refusal, Signed, TrustedBy};
pub use pull::{Pulled, Puller, Source};
pub use reference::{Reference, WrongReference};
pub use registry::{PullError, PullTimes};
pub use settings::{PluginsSettings, RegistrySettings, TrustSettings, check};
