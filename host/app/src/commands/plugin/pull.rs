//! `andon plugin pull`: fetches a component by the host's own settings, into the host's own cache.
//!
//! A tag is taken here in any case: the digest that this prints is what the file of an instance
//! should name. Without settings there is no cache, and nobody logs in.

use std::process::ExitCode;

use andon_config::Plan;
use andon_provenance::{Cache, Evidence, Puller, Reference, Signed, Source};
use anyhow::Context as _;
use serde_json::json;

use super::{print, small_runtime};
use crate::arguments::Place;
use crate::commands::first_of;
use crate::surroundings::folder_of;
use crate::workshop::SettingsFile;

pub(super) fn pull(reference: &str, place: &Place) -> anyhow::Result<ExitCode> {
    let reference = Reference::parse(reference)?;
    let plan = settings(place)?;
    let folder = folder_of(&place.config);
    let cache = plan
        .as_ref()
        .map(|plan| Cache::open(folder.join(&plan.settings.host.data).join("pulled")))
        .transpose()?;
    let registries = plan
        .as_ref()
        .map(|plan| plan.settings.plugins.registries.clone());
    let puller = Puller::new(registries.unwrap_or_default(), folder, cache);
    let pulled = small_runtime()?
        .block_on(puller.pull(&reference))
        .with_context(|| format!("fetch {reference}"))?;
    let policy = plan.map(|plan| plan.trust).unwrap_or_default();
    let judged = policy.judge(&Evidence {
        hash: pulled.hash.hex(),
        bytes: &pulled.bytes,
        signed: Signed::NotAsked,
    });
    let trust = judged.map_or_else(|refusal| refusal.to_string(), |trusted| trusted.to_string());
    if place.json {
        print(
            json!({
                "reference": pulled.reference.to_string(), "manifest": pulled.manifest.to_string(),
                "sha256": pulled.hash.hex(), "bytes": pulled.bytes.len(), "trust": trust,
            })
            .to_string(),
        );
        return Ok(ExitCode::SUCCESS);
    }
    print(format!("component = \"{}\"", pulled.reference));
    print(format!("SHA-256 {}", pulled.hash.hex()));
    let from = match pulled.source {
        Source::Cache => "found in the cache".to_owned(),
        Source::Registry => "fetched".to_owned(),
        Source::MovedTag { before } => {
            format!("fetched; the tag was moved, it meant {before} before")
        }
    };
    print(format!("{} bytes, {from}", pulled.bytes.len()));
    print(format!("trust: {trust}"));
    Ok(ExitCode::SUCCESS)
}

/// The settings, if there are any.
fn settings(place: &Place) -> anyhow::Result<Option<Plan>> {
    if !place.config.exists() {
        return Ok(None);
    }
    let read = SettingsFile::at(&place.config).read();
    read.map(Some)
        .map_err(|problems| anyhow::anyhow!("{}", first_of(&problems)))
}
