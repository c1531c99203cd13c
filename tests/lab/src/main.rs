//! The `saslab` program: starts, looks at and stops simulated meshes; on a host it acts as every stand-in.

fn main() {}
