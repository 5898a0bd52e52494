//! Where a component comes from: hashes, signatures, registries.
