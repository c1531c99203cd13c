//! The C interface of plugin libraries.
