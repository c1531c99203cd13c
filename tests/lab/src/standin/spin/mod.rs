//! Spin: the Mesh State page, and the traffic between the cores that it shows.

pub mod mesh;
pub mod page;
pub mod pages;
pub mod propagation;
