//! The cases. `b.seal` is the one program, `b.open` the other.

use anyhow::{bail, ensure};

use super::{Bench, Steps, is_equal};

/// Every case with its name.
pub(super) const CASES: &[(&str, Steps)] = &[
    ("a file is decrypted in place", in_place),
    ("a file is viewed", viewed),
    ("a file with an id, form 1.2", with_id),
    ("a file without an id, form 1.1", without_id),
    ("several passwords, one of which fits", several_passwords),
    ("a wrong password is refused", wrong_password),
    ("a damaged file is refused", damaged),
    ("a file that is no vault is refused", no_vault),
    ("a file that is sealed is not sealed again", sealed_twice),
    ("bytes that are no text", binary),
    ("an empty file", empty),
    ("lines that end with CR LF", carriage_returns),
    ("a file of a megabyte", large),
    ("standard input and output", streams),
    (
        "a sealed file with CR LF is opened",
        sealed_with_carriage_returns,
    ),
    ("a password from a script", script),
    (
        "a password from a client script that is told the id",
        client_script,
    ),
    ("another password and another id", rekeyed),
    ("several files at once", several_files),
    (
        "encrypt_string inside a file of variables",
        string_in_variables,
    ),
    (
        "encrypt_string of standard input with an id",
        string_with_id,
    ),
    (
        "a playbook with a sealed file of variables",
        playbook_vars_file,
    ),
    (
        "sealed group_vars and host_vars with two ids",
        playbook_group_vars,
    ),
    (
        "include_vars, copy and a lookup of sealed files",
        playbook_files,
    ),
];

const PLAIN: &[u8] = b"user: alice\npassword: s3cret\n# \xc3\xa9\n";

fn in_place(b: &Bench<'_>) -> anyhow::Result<()> {
    b.write("f", PLAIN)?;
    b.seal("encrypt --vault-password-file pass f")?;
    ensure!(
        b.header("f")? == "$ANSIBLE_VAULT;1.1;AES256",
        "{}",
        b.header("f")?
    );
    b.open("decrypt --vault-password-file pass f")?;
    b.holds("f", PLAIN)
}

fn viewed(b: &Bench<'_>) -> anyhow::Result<()> {
    b.write("f", PLAIN)?;
    b.seal("encrypt --vault-password-file pass --output s f")?;
    b.holds("f", PLAIN)?;
    let shown = b.open("view --vault-password-file pass s")?;
    is_equal(shown.trim_ascii_end(), PLAIN.trim_ascii_end(), "the view")
}

fn with_id(b: &Bench<'_>) -> anyhow::Result<()> {
    b.write("f", PLAIN)?;
    b.seal("encrypt --vault-id prod@pass f")?;
    ensure!(
        b.header("f")? == "$ANSIBLE_VAULT;1.2;AES256;prod",
        "{}",
        b.header("f")?
    );
    b.open("decrypt --vault-id prod@pass f")?;
    b.holds("f", PLAIN)?;
    b.seal("encrypt --vault-id prod@pass f")?;
    b.open("decrypt --vault-id another@pass f")?;
    b.holds("f", PLAIN)
}

fn without_id(b: &Bench<'_>) -> anyhow::Result<()> {
    b.write("f", PLAIN)?;
    b.seal("encrypt --vault-id @pass f")?;
    ensure!(
        b.header("f")? == "$ANSIBLE_VAULT;1.1;AES256",
        "{}",
        b.header("f")?
    );
    b.open("decrypt --vault-id prod@pass f")?;
    b.holds("f", PLAIN)
}

fn several_passwords(b: &Bench<'_>) -> anyhow::Result<()> {
    b.write("f", PLAIN)?;
    b.seal("encrypt --vault-id dev@other --vault-id prod@pass --encrypt-vault-id prod f")?;
    ensure!(b.header("f")?.ends_with(";prod"), "{}", b.header("f")?);
    b.open("decrypt --vault-id dev@other --vault-id test@other --vault-id prod@pass f")?;
    b.holds("f", PLAIN)
}

fn wrong_password(b: &Bench<'_>) -> anyhow::Result<()> {
    b.write("f", PLAIN)?;
    b.seal("encrypt --vault-password-file pass f")?;
    let reason = "Decryption failed (no vault secrets were found that could decrypt)";
    b.is_refused("decrypt --vault-password-file other f", "f", reason)?;
    b.is_refused("view --vault-password-file other f", "f", reason)?;
    b.is_refused(
        "rekey --vault-password-file other --new-vault-password-file pass f",
        "f",
        reason,
    )
}

fn damaged(b: &Bench<'_>) -> anyhow::Result<()> {
    b.write("f", PLAIN)?;
    b.seal("encrypt --vault-password-file pass f")?;
    let mut sealed = b.read("f")?;
    let first = sealed.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let is_digit = |at: &usize| sealed[*at] != b'\n';
    let digits: Vec<usize> = (first..sealed.len()).filter(is_digit).collect();
    // Two digits stand for one of what is inside, which is to stay a digit: `3x` for 0 to 9.
    let mut pairs = digits.chunks_exact(2).skip(digits.len() / 4);
    let Some(&[_, low]) = pairs.find(|pair| sealed[pair[0]] == b'3') else {
        bail!("no digit to change");
    };
    sealed[low] = if sealed[low] == b'3' { b'4' } else { b'3' };
    b.write("f", &sealed)?;
    b.is_refused("decrypt --vault-password-file pass f", "f", "ecrypt")
}

fn no_vault(b: &Bench<'_>) -> anyhow::Result<()> {
    b.write("f", PLAIN)?;
    b.is_refused(
        "decrypt --vault-password-file pass f",
        "f",
        "not vault encrypted",
    )
}

fn sealed_twice(b: &Bench<'_>) -> anyhow::Result<()> {
    b.write("f", PLAIN)?;
    b.seal("encrypt --vault-password-file pass f")?;
    b.is_refused(
        "encrypt --vault-password-file pass f",
        "f",
        "already encrypted",
    )
}

fn binary(b: &Bench<'_>) -> anyhow::Result<()> {
    let bytes: Vec<u8> = (0..=255_u8).cycle().take(3001).collect();
    b.write("f", &bytes)?;
    b.seal("encrypt --vault-password-file pass f")?;
    b.open("decrypt --vault-password-file pass f")?;
    b.holds("f", &bytes)
}

fn empty(b: &Bench<'_>) -> anyhow::Result<()> {
    b.write("f", b"")?;
    b.seal("encrypt --vault-password-file pass f")?;
    ensure!(
        b.header("f")?.starts_with("$ANSIBLE_VAULT"),
        "{}",
        b.header("f")?
    );
    b.open("decrypt --vault-password-file pass f")?;
    b.holds("f", b"")
}

fn carriage_returns(b: &Bench<'_>) -> anyhow::Result<()> {
    let text = b"one: 1\r\ntwo: 2\r\n\r\n";
    b.write("f", text)?;
    b.seal("encrypt --vault-password-file pass f")?;
    b.open("decrypt --vault-password-file pass f")?;
    b.holds("f", text)
}

fn large(b: &Bench<'_>) -> anyhow::Result<()> {
    let text = b"0123456789abcde\n".repeat(1 << 16);
    b.write("f", &text)?;
    b.seal("encrypt --vault-password-file pass f")?;
    b.open("decrypt --vault-password-file pass f")?;
    b.holds("f", &text)
}

fn streams(b: &Bench<'_>) -> anyhow::Result<()> {
    let words = "encrypt --vault-password-file pass --output -";
    let sealed = b.done(b.seals, "vault", words, PLAIN)?;
    let words = "decrypt --vault-password-file pass --output -";
    is_equal(
        &b.done(b.opens, "vault", words, &sealed)?,
        PLAIN,
        "standard output",
    )?;
    b.done(
        b.opens,
        "vault",
        "decrypt --vault-password-file pass --output f -",
        &sealed,
    )?;
    b.holds("f", PLAIN)
}

fn sealed_with_carriage_returns(b: &Bench<'_>) -> anyhow::Result<()> {
    b.write("f", PLAIN)?;
    b.seal("encrypt --vault-id prod@pass f")?;
    let sealed = String::from_utf8(b.read("f")?)?.replace('\n', "\r\n");
    b.write("f", sealed.as_bytes())?;
    b.open("decrypt --vault-id prod@pass f")?;
    b.holds("f", PLAIN)
}

fn script(b: &Bench<'_>) -> anyhow::Result<()> {
    b.script("asked.sh", "#!/bin/sh\necho 'correct horse'\n")?;
    b.write("f", PLAIN)?;
    b.seal("encrypt --vault-password-file asked.sh f")?;
    b.open("decrypt --vault-password-file pass f")?;
    b.seal("encrypt --vault-password-file pass f")?;
    b.open("decrypt --vault-id @asked.sh f")?;
    b.holds("f", PLAIN)
}

fn client_script(b: &Bench<'_>) -> anyhow::Result<()> {
    let text = "#!/bin/sh\n[ \"$1\" = --vault-id ] && echo \"secret of $2\"\n";
    b.script("keys-client.sh", text)?;
    b.write("f", PLAIN)?;
    b.seal("encrypt --vault-id prod@keys-client.sh f")?;
    b.open("decrypt --vault-id prod@keys-client.sh f")?;
    b.holds("f", PLAIN)?;
    b.write("plain", b"secret of prod\n")?;
    b.seal("encrypt --vault-id prod@keys-client.sh f")?;
    b.open("decrypt --vault-id x@plain f")?;
    b.holds("f", PLAIN)
}

fn rekeyed(b: &Bench<'_>) -> anyhow::Result<()> {
    b.write("f", PLAIN)?;
    b.seal("encrypt --vault-password-file pass f")?;
    b.open("rekey --vault-password-file pass --new-vault-id fresh@other f")?;
    ensure!(b.header("f")?.ends_with(";fresh"), "{}", b.header("f")?);
    b.seal("rekey --vault-id fresh@other --new-vault-password-file pass f")?;
    b.open("decrypt --vault-password-file pass f")?;
    b.holds("f", PLAIN)
}

fn several_files(b: &Bench<'_>) -> anyhow::Result<()> {
    for name in ["f", "g", "h"] {
        b.write(name, name.as_bytes())?;
    }
    b.seal("encrypt --vault-password-file pass f g h")?;
    b.open("decrypt --vault-password-file pass f g h")?;
    for name in ["f", "g", "h"] {
        b.holds(name, name.as_bytes())?;
    }
    Ok(())
}

/// Secrets are masked where they are shown, so a playbook leaves them in a file.
const SHOWING: &str = "- hosts: all\n  connection: local\n  gather_facts: false\n  tasks:\n    - copy:\n        \
                       dest: \"{{ playbook_dir }}/shown\"\n        content: \"<{{ word }}|{{ second | default('-') }}>\"\n";

fn showing(b: &Bench<'_>, more: &str) -> anyhow::Result<()> {
    b.write("play.yml", format!("{SHOWING}{more}").as_bytes())
}

fn string_in_variables(b: &Bench<'_>) -> anyhow::Result<()> {
    let words = "encrypt_string --vault-password-file pass s3cret zwei --name word --name second";
    let text = b.seal(words)?;
    let shown = String::from_utf8_lossy(&text);
    ensure!(
        shown.starts_with("word: !vault |\n"),
        "{words} gives {shown}"
    );
    b.write("vars.yml", &text)?;
    showing(b, "  vars_files: [vars.yml]\n")?;
    b.shows(
        "<s3cret|zwei>",
        "-i localhost, --vault-password-file pass play.yml",
    )
}

fn string_with_id(b: &Bench<'_>) -> anyhow::Result<()> {
    let words = "encrypt_string --vault-id prod@pass --stdin-name word";
    let text = b.done(b.seals, "vault", words, b"two words")?;
    b.write("vars.yml", &text)?;
    showing(b, "  vars_files: [vars.yml]\n")?;
    let words = "-i localhost, --vault-id dev@other --vault-id prod@pass play.yml";
    b.shows("<two words|->", words)
}

fn playbook_vars_file(b: &Bench<'_>) -> anyhow::Result<()> {
    b.write("vars.yml", b"word: s3cret\nsecond: '{{ word | upper }}'\n")?;
    b.seal("encrypt --vault-password-file pass vars.yml")?;
    showing(b, "  vars_files: [vars.yml]\n")?;
    b.shows(
        "<s3cret|S3CRET>",
        "-i localhost, --vault-password-file pass play.yml",
    )?;
    let words: Vec<&str> = "-i localhost, --vault-password-file other play.yml"
        .split(' ')
        .collect();
    let ended = b
        .peers
        .call(b.opens, "playbook", &words, b.folder.path(), b"")?;
    ensure!(
        !ended.is_success,
        "a wrong password went through: {}",
        ended.said()
    );
    Ok(())
}

fn playbook_group_vars(b: &Bench<'_>) -> anyhow::Result<()> {
    for folder in ["group_vars/all", "host_vars"] {
        std::fs::create_dir_all(b.path(folder))?;
    }
    b.write("group_vars/all/vault.yml", b"word: from the group\n")?;
    b.write("host_vars/one.yml", b"second: from the host\n")?;
    b.seal("encrypt --vault-id dev@other group_vars/all/vault.yml")?;
    b.seal("encrypt --vault-id prod@pass host_vars/one.yml")?;
    b.write("hosts", b"one ansible_connection=local\n")?;
    showing(b, "")?;
    let words = "-i hosts --vault-id dev@other --vault-id prod@pass play.yml";
    b.shows("<from the group|from the host>", words)
}

fn playbook_files(b: &Bench<'_>) -> anyhow::Result<()> {
    b.write("included.yml", b"word: included\n")?;
    b.write("looked", b"looked up")?;
    b.write("copied", b"\x00\x01copied\r\n")?;
    b.seal("encrypt --vault-password-file pass included.yml looked copied")?;
    let to = b.path("result").display().to_string();
    let more = format!(
        "  vars:\n    second: \"{{{{ lookup('file', 'looked') }}}}\"\n  pre_tasks:\n    - include_vars: included.yml\n    \
         - copy: src=copied dest={to}\n"
    );
    showing(b, &more)?;
    b.shows(
        "<included|looked up>",
        "-i localhost, --vault-password-file pass play.yml",
    )?;
    b.holds("result", b"\x00\x01copied\r\n")
}
