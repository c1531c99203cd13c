//! Modules about where packages come from: repositories and the keys they are signed with.

pub(crate) mod apt_key;
pub(crate) mod apt_repository;
pub(crate) mod deb822_repository;
pub(crate) mod rpm_key;
pub(crate) mod yum_repository;
