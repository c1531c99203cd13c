//! The lookup `password`: made once, kept in a file that only its owner may read.

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use sha2::{Digest, Sha256};

use super::{Lookup, LookupCall, lookup};
use crate::filters::{hash_password, salt_from};
use crate::values::{Eval, Val};

pub(super) const LOOKUPS: &[Lookup] = &[lookup("password", password)];

fn letters(class: &str) -> String {
    let range = |from: char, to: char| (from..=to).collect::<String>();
    match class {
        "ascii_letters" => range('a', 'z') + &range('A', 'Z'),
        "ascii_lowercase" => range('a', 'z'),
        "ascii_uppercase" => range('A', 'Z'),
        "digits" => range('0', '9'),
        "hexdigits" => range('0', '9') + &range('a', 'f') + &range('A', 'F'),
        "octdigits" => range('0', '7'),
        "punctuation" => "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~".to_owned(),
        other => other.to_owned(),
    }
}

fn password(call: &LookupCall<'_>) -> Eval<Vec<Val>> {
    let mut found = Vec::new();
    for term in call.term_texts()? {
        let mut words = term.split_whitespace();
        let path = words.next().unwrap_or_default().to_owned();
        let own: Vec<(&str, &str)> = words.filter_map(|word| word.split_once('=')).collect();
        let option = |name: &str, default: &str| -> Eval<String> {
            match own.iter().find(|(key, _)| *key == name) {
                Some((_, value)) => Ok((*value).to_owned()),
                None => call.option_text(name, default),
            }
        };
        let length: usize = option("length", "20")?
            .parse()
            .map_err(|_| call.fail("length must be a number"))?;
        let classes = match call.option("chars") {
            Some(value) if value.is_sequence() => {
                let mut classes = Vec::new();
                for class in call.session().iterate(value)? {
                    classes.push(call.session().text_of(&class)?);
                }
                classes
            }
            _ => option("chars", "ascii_letters,digits,.,:,-,_")?
                .split(',')
                .map(str::to_owned)
                .collect(),
        };
        let alphabet: Vec<char> = classes
            .iter()
            .flat_map(|class| letters(class).chars().collect::<Vec<_>>())
            .collect();
        let seed = option("seed", "")?;
        let encrypt = option("encrypt", "")?;
        let secret = one_password(call, &path, length.min(4096), &alphabet, &seed, &encrypt)?;
        found.push(Val::from(secret));
    }
    Ok(found)
}

/// As much chance as the generator takes, for a secret must not be guessed from a short seed.
fn full_seed(world: &dyn crate::world::World) -> [u8; 32] {
    let mut seed = [0; 32];
    for part in seed.chunks_exact_mut(8) {
        part.copy_from_slice(&world.random().to_le_bytes());
    }
    seed
}

fn one_password(
    call: &LookupCall<'_>,
    path: &str,
    length: usize,
    alphabet: &[char],
    seed: &str,
    encrypt: &str,
) -> Eval<String> {
    let world = call.session().world();
    let keeps = path != "/dev/null";
    let path = call.env.expand_home(path);
    let kept = if keeps && world.path_kind(&path).is_some() {
        let content = world
            .read_file(&path)
            .map_err(|err| call.fail(format!("cannot read {path}: {err}")))?;
        let text = String::from_utf8_lossy(&content).trim_end().to_owned();
        Some(text)
    } else {
        None
    };
    let (mut secret, mut salt) = match &kept {
        Some(text) => match text.split_once(" salt=") {
            Some((secret, salt)) => (secret.to_owned(), Some(salt.to_owned())),
            None => (text.clone(), None),
        },
        None => (String::new(), None),
    };
    let mut is_new = false;
    if secret.is_empty() {
        let mut chance = if seed.is_empty() {
            StdRng::from_seed(full_seed(world))
        } else {
            StdRng::from_seed(Sha256::digest(seed.as_bytes()).into())
        };
        secret = (0..length)
            .filter_map(|_| alphabet.choose(&mut chance).copied())
            .collect();
        is_new = true;
    }
    if !encrypt.is_empty() && salt.is_none() {
        salt = Some(salt_from(&[world.random(), world.random()], 8));
        is_new = true;
    }
    if keeps && is_new {
        let content = match &salt {
            Some(salt) => format!("{secret} salt={salt}\n"),
            None => format!("{secret}\n"),
        };
        world
            .write_private_file(&path, content.as_bytes())
            .map_err(|err| call.fail(format!("cannot write {path}: {err}")))?;
    }
    match (&salt, encrypt.is_empty()) {
        (Some(salt), false) => {
            hash_password(&secret, encrypt, salt, None).map_err(|message| call.fail(message))
        }
        _ => Ok(secret),
    }
}
