//! Secrets of a run, sealed in a file beside the journal, the key in a file elsewhere.
//!
//! The file `secrets` has one line for each: its number, a nonce and what ChaCha20-Poly1305 made
//! of it, bound to the run and the number. The key is below the state directory's `keys`, so that
//! a copy of the run's directory opens nothing.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::disk::make_anew;
use crate::hexadecimal::{decode, encode};
use crate::{Disk, DiskFile, JournalError, ReadError, RunDirectory};

const FIRST_LINE: &[u8] = b"sasrun-secrets 1\n";
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;

/// Opens and makes sealed texts of one run.
struct Cipher {
    key: LessSafeKey,
    run: String,
}

impl Cipher {
    fn new(key: &[u8], run: &str) -> Option<Self> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, key).ok()?;
        Some(Self {
            key: LessSafeKey::new(key),
            run: run.to_owned(),
        })
    }

    fn bound(&self, number: u64) -> Aad<Vec<u8>> {
        Aad::from(format!("{} {number}", self.run).into_bytes())
    }

    fn line(&self, number: u64, text: &str) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_BYTES];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let mut sealed = text.as_bytes().to_vec();
        let unique = Nonce::assume_unique_for_key(nonce);
        self.key
            .seal_in_place_append_tag(unique, self.bound(number), &mut sealed)
            .ok()?;
        Some(format!("{number} {} {}\n", encode(&nonce), encode(&sealed)).into_bytes())
    }

    fn open(&self, number: u64, nonce: &[u8], sealed: &mut [u8]) -> Option<String> {
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let plain = self
            .key
            .open_in_place(nonce, self.bound(number), sealed)
            .ok()?;
        String::from_utf8(plain.to_vec()).ok()
    }
}

/// Takes secrets while a run is recorded. Makes its files when the first one comes.
pub(crate) struct Vault {
    directory: RunDirectory,
    disk: Arc<dyn Disk>,
    open: Option<(Arc<dyn DiskFile>, Cipher)>,
    known: HashMap<String, u64>,
    last: u64,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("last", &self.last).finish()
    }
}

/// What sealing left to be made durable.
pub(crate) type Unsynced = Vec<Arc<dyn DiskFile>>;

impl Vault {
    pub(crate) fn new(directory: &RunDirectory, disk: Arc<dyn Disk>) -> Self {
        Self {
            directory: directory.clone(),
            disk,
            open: None,
            known: HashMap::new(),
            last: 0,
        }
    }

    /// Goes on with the secrets of a run, cutting a torn line.
    pub(crate) fn reopen(
        directory: &RunDirectory,
        disk: Arc<dyn Disk>,
    ) -> Result<Self, JournalError> {
        let mut vault = Self::new(directory, disk);
        let path = directory.secrets();
        if !path.exists() {
            return Ok(vault);
        }
        let failed = |path: &Path, why: String| JournalError::because("go on with", path, why);
        let opened = Opened::read(directory).map_err(|error| failed(&path, error.to_string()))?;
        let file = vault
            .disk
            .open(&path)
            .map_err(|error| JournalError::new("open", &path, &error))?;
        file.truncate(opened.whole_bytes)
            .map_err(|error| JournalError::new("cut", &path, &error))?;
        vault.last = opened.texts.keys().copied().max().unwrap_or(0);
        vault.known = opened
            .texts
            .into_iter()
            .map(|(number, text)| (text, number))
            .collect();
        if let Some(cipher) = opened.cipher {
            vault.open = Some((file, cipher));
        }
        Ok(vault)
    }

    /// Seals a text; gives its number. One that came before keeps its number.
    pub(crate) fn seal(
        &mut self,
        text: &str,
        unsynced: &mut Unsynced,
    ) -> Result<u64, JournalError> {
        if let Some(number) = self.known.get(text) {
            return Ok(*number);
        }
        if self.open.is_none() {
            self.open = Some(self.begin(unsynced)?);
        }
        let path = self.directory.secrets();
        let Some((file, cipher)) = &self.open else {
            return Err(JournalError::because("seal", &path, "there is no key"));
        };
        let number = self.last + 1;
        let line = cipher
            .line(number, text)
            .ok_or_else(|| JournalError::because("seal", &path, "the cipher refused"))?;
        file.append(&line)
            .map_err(|error| JournalError::new("write", &path, &error))?;
        unsynced.push(Arc::clone(file));
        self.last = number;
        self.known.insert(text.to_owned(), number);
        Ok(number)
    }

    /// Makes the key and the file of secrets.
    fn begin(&self, unsynced: &mut Unsynced) -> Result<(Arc<dyn DiskFile>, Cipher), JournalError> {
        let path = self.directory.key();
        let made = |path: &Path, error: &std::io::Error| JournalError::new("make", path, error);
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        let cipher = SystemRandom::new()
            .fill(&mut *key)
            .ok()
            .and_then(|()| Cipher::new(&*key, self.directory.run()));
        let cipher = cipher
            .ok_or_else(|| JournalError::because("make", &path, "the system gives no random"))?;
        if let Some(folder) = path.parent() {
            self.disk
                .make_directory(folder)
                .map_err(|error| made(folder, &error))?;
        }
        // One that is there already has sealed nothing: the file of secrets comes after it.
        let file = make_anew(&*self.disk, &path).map_err(|error| made(&path, &error))?;
        let digits = Zeroizing::new(format!("{}\n", encode(&*key)));
        file.append(digits.as_bytes())
            .map_err(|error| JournalError::new("write", &path, &error))?;
        // The key first: a secret without its key is lost.
        file.sync()
            .and_then(|()| match path.parent() {
                Some(folder) => self.disk.sync_directory(folder),
                None => Ok(()),
            })
            .map_err(|error| JournalError::new("sync", &path, &error))?;
        let path = self.directory.secrets();
        let file = self
            .disk
            .create(&path)
            .map_err(|error| made(&path, &error))?;
        file.append(FIRST_LINE)
            .map_err(|error| JournalError::new("write", &path, &error))?;
        unsynced.push(Arc::clone(&file));
        Ok((file, cipher))
    }
}

/// The secrets of a run, opened.
#[derive(Default)]
pub(crate) struct Opened {
    pub texts: HashMap<u64, String>,
    cipher: Option<Cipher>,
    /// Length of the file without a torn last line.
    whole_bytes: u64,
}

impl Opened {
    /// Opens all secrets of a run; none when it has no file of them.
    pub(crate) fn read(directory: &RunDirectory) -> Result<Self, ReadError> {
        let path = directory.secrets();
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(source) => return Err(ReadError::File { path, source }),
        };
        let key = directory.key();
        let why = |why: String| ReadError::Sealed {
            path: key.clone(),
            why,
        };
        let cipher = cipher_of(&key, directory.run()).map_err(why)?;
        let mut opened = Self {
            cipher: Some(cipher),
            ..Self::default()
        };
        opened.lines(&bytes, &path)?;
        Ok(opened)
    }

    fn lines(&mut self, bytes: &[u8], path: &Path) -> Result<(), ReadError> {
        let mut offset = 0_usize;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            // A last line without its end was being written when the runner died.
            let Some(whole) = line.strip_suffix(b"\n") else {
                break;
            };
            let is_first = offset == 0;
            if !(is_first && line == FIRST_LINE) {
                let (number, text) = self.opened(whole).ok_or_else(|| ReadError::Damaged {
                    path: path.to_owned(),
                    offset: u64::try_from(offset).unwrap_or(u64::MAX),
                    why: "this secret cannot be opened".to_owned(),
                })?;
                self.texts.insert(number, text);
            }
            offset += line.len();
        }
        self.whole_bytes = u64::try_from(offset).unwrap_or(u64::MAX);
        Ok(())
    }

    fn opened(&self, line: &[u8]) -> Option<(u64, String)> {
        let mut parts = line.splitn(3, |byte| *byte == b' ');
        let number = std::str::from_utf8(parts.next()?).ok()?.parse().ok()?;
        let nonce = decode(parts.next()?)?;
        let mut sealed = decode(parts.next()?)?;
        let text = self.cipher.as_ref()?.open(number, &nonce, &mut sealed)?;
        Some((number, text))
    }
}

fn cipher_of(path: &PathBuf, run: &str) -> Result<Cipher, String> {
    let digits = Zeroizing::new(std::fs::read(path).map_err(|error| error.to_string())?);
    let key = decode(digits.trim_ascii()).map(Zeroizing::new);
    key.and_then(|key| Cipher::new(&key, run))
        .ok_or_else(|| "it is no key".to_owned())
}
