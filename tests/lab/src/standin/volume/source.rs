//! What a mount command's source stands for: a disc in the drive, an image, an export, a directory.

use std::path::{Path, PathBuf};

use super::medium;
use crate::standin::fault::Disc;
use crate::standin::site::Site;

/// What lies behind a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// The files of a medium.
    Medium(String),
    /// An NFS export without files of its own.
    Export,
    Directory(PathBuf),
}

/// Why a source cannot be mounted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    #[error("no medium found on {0}")]
    NoDisc(String),
    #[error("{0}: can't read superblock")]
    Unreadable(String),
    #[error("special device {0} does not exist")]
    Absent(String),
    #[error("mounting {0} failed, reason given by server: No such file or directory")]
    NotExported(String),
}

/// Device names of the drive.
const DRIVES: &[&str] = &["/dev/cdrom", "/dev/dvd", "/dev/sr0", "/dev/dsk/c0t6d0s0"];

/// Looks behind the source of a mount.
pub fn resolve(site: &Site, source: &str, target: &str) -> Result<Content, SourceError> {
    let known = |kind: &str| {
        let mut media = site.world.media.iter();
        media.find(|(_, medium)| medium.source == source && medium.kind == kind)
    };
    if DRIVES.contains(&source) || known("dvd").is_some() {
        return drive(site, source, target);
    }
    if let Some((name, _)) = known("bind") {
        return Ok(Content::Medium(name.clone()));
    }
    if let Some((_, path)) = source.split_once(":/") {
        return export(site, source, path);
    }
    let file = super::lofi::file(site, source);
    let path = file.as_deref().unwrap_or(Path::new(source));
    if path.is_dir() {
        return Ok(Content::Directory(path.to_owned()));
    }
    if !path.is_file() {
        return Err(SourceError::Absent(source.to_owned()));
    }
    medium::read_image(path)
        .map(Content::Medium)
        .ok_or_else(|| SourceError::Unreadable(source.to_owned()))
}

fn drive(site: &Site, source: &str, target: &str) -> Result<Content, SourceError> {
    let volumes = &site.faults().volumes;
    if volumes.single_layer {
        return Err(SourceError::Unreadable(source.to_owned()));
    }
    // Where the inventory mounts several discs from one drive, somebody changes them.
    let wanted = site
        .world
        .media
        .iter()
        .find(|(_, medium)| medium.source == source && medium.mount == target);
    let name = match (&volumes.disc, wanted) {
        (Disc::None, _) => return Err(SourceError::NoDisc(source.to_owned())),
        (Disc::Upload, _) => "upload",
        (Disc::OldPrimary, _) => "old_primary",
        (Disc::Foreign, _) => "foreign",
        (Disc::Primary, Some((name, _))) => name,
        (Disc::Primary, None) => "primary",
    };
    Ok(Content::Medium(name.to_owned()))
}

fn export(site: &Site, source: &str, path: &str) -> Result<Content, SourceError> {
    if let Some((name, _)) = site
        .world
        .media
        .iter()
        .find(|(_, medium)| medium.source == source)
    {
        return Ok(Content::Medium(name.clone()));
    }
    if super::show::exports(site)
        .iter()
        .any(|known| known.trim_start_matches('/') == path)
    {
        return Ok(Content::Export);
    }
    Err(SourceError::NotExported(source.to_owned()))
}
