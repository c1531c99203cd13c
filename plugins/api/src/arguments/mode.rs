//! Permission bits as people write them: octal, or symbolic as for `chmod`.

use serde_json::Value;

/// Permission bits that an argument asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// Exactly these.
    Bits(u32),
    /// A change of those that are there.
    Symbolic(Vec<Clause>),
    /// Those of the source.
    Preserve,
}

/// One step of a symbolic mode, such as the `g-w` of `u=rw,g-w`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clause {
    /// Mask of the classes that it is about: `0o4700`, `0o2070`, `0o1007` and sums of them.
    classes: u32,
    operation: Operation,
    grant: Grant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Add,
    Remove,
    Set,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grant {
    /// Permission bits for all classes at once, and whether `X` was among them.
    Bits { bits: u32, execute_if_any: bool },
    /// The permissions of one class, by the number of places to shift them down.
    CopyOf(u32),
}

/// Text that is no mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModeError {
    /// The number is larger than any mode.
    #[error("{0} is larger than any mode; write the digits in quotes, such as '0644'")]
    TooLarge(u64),
    /// The text is neither octal nor symbolic.
    #[error("bad symbolic permission for mode: {0}")]
    Unreadable(String),
}

impl Mode {
    /// Reads a mode: a number is taken as it is, digits are octal, anything else is symbolic.
    ///
    /// # Errors
    /// The value is no mode.
    pub fn read(value: &Value) -> Result<Self, ModeError> {
        let text = match value {
            Value::Number(number) => {
                let bits = number
                    .as_u64()
                    .ok_or_else(|| ModeError::Unreadable(number.to_string()))?;
                return within(bits).map(Mode::Bits);
            }
            Value::String(text) => text.trim(),
            other => return Err(ModeError::Unreadable(other.to_string())),
        };
        if text == "preserve" {
            return Ok(Mode::Preserve);
        }
        let digits = text.trim_start_matches("0o");
        if !digits.is_empty() && digits.chars().all(|c| c.is_digit(8)) {
            let bits = u64::from_str_radix(digits, 8)
                .map_err(|_| ModeError::Unreadable(text.to_owned()))?;
            return within(bits).map(Mode::Bits);
        }
        symbolic(text)
            .map(Mode::Symbolic)
            .ok_or_else(|| ModeError::Unreadable(text.to_owned()))
    }

    /// Returns the bits that come of it where `current` are there; none for `preserve`.
    pub fn bits(&self, current: u32, is_directory: bool) -> Option<u32> {
        match self {
            Mode::Bits(bits) => Some(*bits),
            Mode::Symbolic(clauses) => {
                Some(clauses.iter().fold(current & 0o7777, |mode, clause| {
                    clause.apply(mode, is_directory)
                }))
            }
            Mode::Preserve => None,
        }
    }
}

impl Clause {
    fn apply(self, mode: u32, is_directory: bool) -> u32 {
        let granted = match self.grant {
            Grant::Bits {
                bits,
                execute_if_any,
            } => {
                let may_run = is_directory || mode & 0o111 != 0;
                bits | if execute_if_any && may_run { 0o111 } else { 0 }
            }
            Grant::CopyOf(shift) => {
                let class = (mode >> shift) & 0o7;
                class | class << 3 | class << 6
            }
        } & self.classes;
        match self.operation {
            Operation::Add => mode | granted,
            Operation::Remove => mode & !granted,
            // As chmod: the set-id bits of a directory stay unless they are named.
            Operation::Set if is_directory => (mode & !(self.classes & 0o1777)) | granted,
            Operation::Set => (mode & !self.classes) | granted,
        }
    }
}

fn within(bits: u64) -> Result<u32, ModeError> {
    u32::try_from(bits)
        .ok()
        .filter(|bits| *bits <= 0o7777)
        .ok_or(ModeError::TooLarge(bits))
}

fn symbolic(text: &str) -> Option<Vec<Clause>> {
    let mut clauses = Vec::new();
    for part in text.split(',') {
        let part = part.trim();
        let start = part.find(['+', '-', '='])?;
        let (who, steps) = part.split_at(start);
        // All of them leave no other, in Ansible too.
        if who.contains('a') && who != "a" {
            return None;
        }
        let classes = who.chars().try_fold(0, |classes, c| match c {
            'u' => Some(classes | 0o4700),
            'g' => Some(classes | 0o2070),
            'o' => Some(classes | 0o1007),
            'a' => Some(classes | 0o7777),
            _ => None,
        })?;
        let classes = if who.is_empty() { 0o7777 } else { classes };
        let mut rest = steps;
        while let Some(sign) = rest.chars().next() {
            let operation = match sign {
                '+' => Operation::Add,
                '-' => Operation::Remove,
                _ => Operation::Set,
            };
            let after = &rest[1..];
            let end = after.find(['+', '-', '=']).unwrap_or(after.len());
            clauses.push(Clause {
                classes,
                operation,
                grant: grant(&after[..end])?,
            });
            rest = &after[end..];
        }
    }
    Some(clauses)
}

fn grant(letters: &str) -> Option<Grant> {
    match letters {
        "u" => return Some(Grant::CopyOf(6)),
        "g" => return Some(Grant::CopyOf(3)),
        "o" => return Some(Grant::CopyOf(0)),
        _ => {}
    }
    let (mut bits, mut execute_if_any) = (0, false);
    for letter in letters.chars() {
        match letter {
            'r' => bits |= 0o444,
            'w' => bits |= 0o222,
            'x' => bits |= 0o111,
            's' => bits |= 0o6000,
            't' => bits |= 0o1000,
            'X' => execute_if_any = true,
            _ => return None,
        }
    }
    Some(Grant::Bits {
        bits,
        execute_if_any,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn symbolic_modes_come_out_as_chmod_makes_them() {
        for (text, current, is_directory, wanted) in [
            ("u=rw,g-w,o=", 0o775, false, 0o650),
            ("a+x", 0o644, false, 0o755),
            ("+x", 0o600, false, 0o711),
            ("u=rwX,g=rX,o=rX", 0o600, false, 0o644),
            ("u=rwX,g=rX,o=rX", 0o600, true, 0o755),
            ("u=rwX,g=rX,o=rX", 0o700, false, 0o755),
            ("g=u", 0o640, false, 0o660),
            ("o+u-x", 0o750, false, 0o756),
            ("u+s", 0o755, false, 0o4755),
            ("g+s", 0o755, true, 0o2755),
            ("u=rwx,g=rx", 0o2700, true, 0o2750),
            ("o+t", 0o777, true, 0o1777),
            ("ug=rw", 0o000, false, 0o660),
        ] {
            let mode = Mode::read(&json!(text)).unwrap();
            let made = mode.bits(current, is_directory);
            assert_eq!(made, Some(wanted), "{text} on {current:o}");
        }
    }

    #[test]
    fn numbers_are_bits_and_digits_are_octal() {
        assert_eq!(Mode::read(&json!(420)), Ok(Mode::Bits(0o644)));
        assert_eq!(Mode::read(&json!("0644")), Ok(Mode::Bits(0o644)));
        assert_eq!(Mode::read(&json!("755")), Ok(Mode::Bits(0o755)));
        assert_eq!(Mode::read(&json!("0o600")), Ok(Mode::Bits(0o600)));
        assert_eq!(Mode::read(&json!(99_999)), Err(ModeError::TooLarge(99_999)));
        assert!(Mode::read(&json!("rwx")).is_err());
        assert!(Mode::read(&json!("0999")).is_err());
        assert!(Mode::read(&json!(true)).is_err());
    }
}
