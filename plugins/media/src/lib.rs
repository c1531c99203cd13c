//! sasrun-plugin-media
