//! The house's own rules, held by tests that read manifests and sources. Nothing to call here.
