//! From the bytes of a manifest to the one layer that is the component.
//!
//! Two forms are pushed: the component artifact of the Bytecode Alliance (a configuration of type
//! `application/vnd.wasm.config.v0+json` and one layer `application/wasm`), and whatever general
//! tools push with a layer of that type. Both are the same to us: exactly one layer
//! `application/wasm`. Addresses that a layer names elsewhere are not followed.

use oci_client::manifest::OciManifest;

use crate::Sha256;

/// What a component is called in a manifest.
pub(crate) const WASM: &str = "application/wasm";

/// Manifests that are asked for.
pub(crate) const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.index.v1+json";

/// The layer that is the component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layer {
    pub(crate) digest: Sha256,
    pub(crate) bytes: u64,
}

/// A manifest that names no component.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// It cannot be understood.
    #[error("the registry's manifest cannot be understood: {0}")]
    Unreadable(String),
    /// A list of manifests.
    #[error(
        "the reference means a list of {count} manifests and not a component; name the digest of the one that is meant"
    )]
    List {
        /// How many.
        count: usize,
    },
    /// No layer, or several.
    #[error(
        "the manifest names {count} layers of type application/wasm where one is meant (it has: {types}); push the component alone, as `oras push NAME FILE.wasm:application/wasm` does"
    )]
    Layers {
        /// How many.
        count: usize,
        /// Types of all its layers.
        types: String,
    },
    /// Its size cannot be.
    #[error("the manifest gives the component {bytes} bytes, which cannot be")]
    Size {
        /// What it says.
        bytes: i64,
    },
}

/// Finds the component.
pub(crate) fn layer(manifest: &[u8]) -> Result<Layer, ManifestError> {
    let unreadable = |error: &dyn std::error::Error| {
        ManifestError::Unreadable(error.to_string().chars().take(200).collect())
    };
    let manifest: OciManifest =
        serde_json::from_slice(manifest).map_err(|error| unreadable(&error))?;
    let image = match manifest {
        OciManifest::Image(image) => image,
        OciManifest::ImageIndex(index) => {
            let count = index.manifests.len();
            return Err(ManifestError::List { count });
        }
    };
    let mut components = image.layers.iter().filter(|one| one.media_type == WASM);
    let (Some(layer), None) = (components.next(), components.next()) else {
        let count = image
            .layers
            .iter()
            .filter(|one| one.media_type == WASM)
            .count();
        let types: Vec<String> = image
            .layers
            .iter()
            .take(5)
            .map(|one| shown(&one.media_type))
            .collect();
        let types = if types.is_empty() {
            "none".to_owned()
        } else {
            types.join(", ")
        };
        return Err(ManifestError::Layers { count, types });
    };
    Ok(Layer {
        digest: Sha256::parse(&layer.digest).map_err(|error| unreadable(&error))?,
        bytes: u64::try_from(layer.size).map_err(|_| ManifestError::Size { bytes: layer.size })?,
    })
}

/// A type as a line of a log can show it.
fn shown(media_type: &str) -> String {
    media_type
        .chars()
        .filter(|one| one.is_ascii_graphic())
        .take(80)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(layers: &[&str]) -> String {
        let digest = Sha256::of(b"component");
        let layers: Vec<String> = layers
            .iter()
            .map(|kind| format!(r#"{{"mediaType":"{kind}","digest":"{digest}","size":9}}"#))
            .collect();
        format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
            "config":{{"mediaType":"application/vnd.wasm.config.v0+json","digest":"{digest}","size":9}},
            "layers":[{}]}}"#,
            layers.join(",")
        )
    }

    #[test]
    fn the_one_component_is_found_beside_other_layers() {
        let found = layer(manifest(&["text/markdown", WASM]).as_bytes()).expect("a layer");
        assert_eq!(found.digest, Sha256::of(b"component"));
        assert_eq!(found.bytes, 9);
    }

    #[test]
    fn none_and_two_are_refused_with_what_there_is() {
        let none = layer(manifest(&["text/plain"]).as_bytes()).expect_err("refused");
        assert!(none.to_string().contains("text/plain"), "{none}");
        let two = layer(manifest(&[WASM, WASM]).as_bytes()).expect_err("refused");
        assert!(two.to_string().contains("names 2 layers"), "{two}");
        assert!(layer(manifest(&[]).as_bytes()).is_err());
    }

    #[test]
    fn a_list_of_manifests_and_rubbish_are_told_apart() {
        let list = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
        assert_eq!(
            layer(list.as_bytes()),
            Err(ManifestError::List { count: 0 })
        );
        for rubbish in ["", "{}", "null", "<html>", "[1]"] {
            let error = layer(rubbish.as_bytes()).expect_err("refused");
            assert!(
                matches!(error, ManifestError::Unreadable(_)),
                "{rubbish}: {error}"
            );
        }
        let negative = manifest(&[WASM]).replace("\"size\":9", "\"size\":-9");
        assert_eq!(
            layer(negative.as_bytes()),
            Err(ManifestError::Size { bytes: -9 })
        );
    }
}
