//! Files of this machine, as a connection would answer about them.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sasrun_plugin::{
    Answer, Content, ControllerEntry, ControllerFile, FileContent, FileKind, FileStatus,
    ReadAnswer, Refusal, Stat, TreeEntryKind, WriteFile, WriteTree, Written,
};
use sha1::{Digest as _, Sha1};

fn name_of(database: &str, id: u32) -> String {
    let id_text = id.to_string();
    let line = database
        .lines()
        .find(|line| line.split(':').nth(2) == Some(&id_text));
    line.and_then(|line| line.split(':').next())
        .unwrap_or(&id_text)
        .to_owned()
}

fn kind(kind: fs::FileType) -> FileKind {
    if kind.is_dir() {
        FileKind::Directory
    } else if kind.is_symlink() {
        FileKind::Link
    } else if kind.is_fifo() {
        FileKind::Fifo
    } else if kind.is_char_device() {
        FileKind::CharacterDevice
    } else {
        FileKind::File
    }
}

fn sha1_of(path: &str) -> Option<String> {
    let digest = Sha1::digest(fs::read(path).ok()?);
    Some(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

pub fn stat(stat: &Stat) -> FileStatus {
    let found = if stat.follow {
        fs::metadata(&stat.path)
    } else {
        fs::symlink_metadata(&stat.path)
    };
    let Ok(found) = found else {
        return FileStatus {
            path: stat.path.clone(),
            ..FileStatus::default()
        };
    };
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let group = fs::read_to_string("/etc/group").unwrap_or_default();
    let is_link = fs::symlink_metadata(&stat.path).is_ok_and(|status| status.is_symlink());
    FileStatus {
        path: stat.path.clone(),
        kind: kind(found.file_type()),
        mode: found.mode() & 0o7777,
        uid: found.uid(),
        gid: found.gid(),
        owner: name_of(&passwd, found.uid()),
        group: name_of(&group, found.gid()),
        size_bytes: found.size(),
        mtime: found.mtime() as f64,
        atime: found.atime() as f64,
        ctime: found.ctime() as f64,
        inode: found.ino(),
        device: found.dev(),
        links: found.nlink(),
        link_target: fs::read_link(&stat.path)
            .ok()
            .map(|path| path.to_string_lossy().into()),
        real_path: is_link
            .then(|| fs::canonicalize(&stat.path).ok())
            .flatten()
            .map(|path| path.to_string_lossy().into()),
        readable: true,
        writable: true,
        executable: found.mode() & 0o111 != 0,
        checksum: stat
            .checksum
            .as_ref()
            .filter(|_| found.is_file())
            .and_then(|_| sha1_of(&stat.path)),
    }
}

pub fn read(path: &str, max_bytes: u64) -> ReadAnswer {
    let content = fs::read(path);
    ReadAnswer::File(FileContent {
        path: path.into(),
        exists: content.is_ok(),
        truncated: content
            .as_ref()
            .is_ok_and(|bytes| bytes.len() as u64 > max_bytes),
        base64: STANDARD.encode(content.unwrap_or_default()),
    })
}

fn bytes(content: &Content) -> Vec<u8> {
    match content {
        Content::Text(text) => text.clone().into_bytes(),
        Content::Base64(text) => STANDARD.decode(text).unwrap(),
        Content::ControllerFile(path) => fs::read(path).unwrap(),
    }
}

fn refused(error: impl ToString) -> ReadAnswer {
    ReadAnswer::Refused(Refusal {
        kind: "other".into(),
        message: error.to_string(),
    })
}

fn written(path: &str, backup: Option<String>) -> ReadAnswer {
    let look = Stat {
        path: path.into(),
        follow: false,
        checksum: Some("sha1".into()),
    };
    ReadAnswer::Written(Written {
        status: stat(&look),
        backup,
    })
}

pub fn write(file: &WriteFile, validate: &dyn Fn(String) -> bool) -> ReadAnswer {
    let beside = format!("{}.new", file.path);
    if let Err(error) = fs::write(&beside, bytes(&file.content)) {
        return refused(error);
    }
    if let Some(command) = &file.validate
        && !validate(command.replace("%s", &beside))
    {
        fs::remove_file(&beside).unwrap();
        return refused("failed to validate");
    }
    let old = fs::metadata(&file.path)
        .ok()
        .map(|status| status.mode() & 0o7777);
    let backup = file.backup.then(|| format!("{}.old~", file.path));
    if let Some(backup) = &backup {
        fs::copy(&file.path, backup).unwrap();
    }
    if let Some(mode) = file.mode.or(old) {
        fs::set_permissions(&beside, fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::rename(&beside, &file.path).unwrap();
    written(&file.path, backup)
}

pub fn write_tree(tree: &WriteTree) -> ReadAnswer {
    for entry in &tree.entries {
        let path = Path::new(&tree.directory).join(&entry.path);
        match &entry.kind {
            TreeEntryKind::Directory => fs::create_dir_all(&path).unwrap(),
            TreeEntryKind::File { content } => fs::write(&path, bytes(content)).unwrap(),
            TreeEntryKind::Link { target } => std::os::unix::fs::symlink(target, &path).unwrap(),
        }
        if let Some(mode) = entry.mode {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
    }
    written(&tree.directory, None)
}

pub fn fetch(path: &str, controller_path: &str) -> ReadAnswer {
    fs::create_dir_all(Path::new(controller_path).parent().unwrap()).unwrap();
    fs::copy(path, controller_path).unwrap();
    written(controller_path, None)
}

pub fn controller_file(path: &str, checksum: Option<&str>, follow: bool) -> Answer {
    let Ok(found) = fs::metadata(path) else {
        return Answer::Refused {
            refusal: Refusal {
                kind: "not_found".into(),
                message: format!("Could not find or access '{path}' on the controller"),
            },
        };
    };
    let mut entries = Vec::new();
    if found.is_dir() {
        collect(Path::new(path), "", follow, &mut entries);
    }
    Answer::ControllerFile {
        file: ControllerFile {
            path: path.into(),
            is_directory: found.is_dir(),
            size_bytes: found.size(),
            mode: found.mode(),
            mtime: found.mtime() as f64,
            checksum: checksum.and_then(|_| sha1_of(path)),
            is_vaulted: false,
            entries,
        },
    }
}

fn collect(directory: &Path, prefix: &str, follow: bool, entries: &mut Vec<ControllerEntry>) {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    for name in names {
        let path = directory.join(&name);
        let below = format!("{prefix}{name}");
        let status = match follow {
            true => fs::metadata(&path).unwrap(),
            false => fs::symlink_metadata(&path).unwrap(),
        };
        let content = fs::read(&path).unwrap_or_default();
        entries.push(ControllerEntry {
            path: below.clone(),
            kind: kind(status.file_type()),
            size_bytes: status.size(),
            mode: status.mode(),
            checksum: sha1_of(path.to_str().unwrap()),
            link_target: fs::read_link(&path)
                .ok()
                .map(|path| path.to_string_lossy().into()),
            is_vaulted: content.starts_with(b"$ANSIBLE_VAULT;"),
        });
        if status.is_dir() {
            collect(&path, &format!("{below}/"), follow, entries);
        }
    }
}
