//! Text in encodings by Python's names, as bytes and back.

/// An encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Ascii,
    Latin1,
    Utf8,
    /// A mark stands in front of the text.
    Utf8WithMark,
    /// Units of so many bytes; without an order of bytes a mark in front says which it is.
    Wide {
        unit: usize,
        order: Option<Order>,
    },
}

/// Which byte of a unit comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

const MARK: char = '\u{feff}';

impl Encoding {
    pub(super) fn named(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase().replace(['_', ' '], "-");
        let wide = |unit, order| Some(Self::Wide { unit, order });
        match name.as_str() {
            "utf-8" | "utf8" | "u8" => Some(Self::Utf8),
            "utf-8-sig" => Some(Self::Utf8WithMark),
            "ascii" | "us-ascii" | "646" => Some(Self::Ascii),
            "latin-1" | "latin1" | "latin" | "l1" | "iso-8859-1" | "iso8859-1" | "8859" => {
                Some(Self::Latin1)
            }
            "utf-16" | "utf16" | "u16" => wide(2, None),
            "utf-16-le" | "utf-16le" => wide(2, Some(Order::Little)),
            "utf-16-be" | "utf-16be" => wide(2, Some(Order::Big)),
            "utf-32" | "utf32" | "u32" => wide(4, None),
            "utf-32-le" | "utf-32le" => wide(4, Some(Order::Little)),
            "utf-32-be" | "utf-32be" => wide(4, Some(Order::Big)),
            _ => None,
        }
    }

    /// The text as bytes; None where it has a letter that the encoding has not.
    pub(super) fn encode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Utf8 => Some(text.as_bytes().to_vec()),
            Self::Utf8WithMark => Some(format!("{MARK}{text}").into_bytes()),
            Self::Ascii => text.is_ascii().then(|| text.as_bytes().to_vec()),
            Self::Latin1 => text
                .chars()
                .map(|c| u8::try_from(u32::from(c)).ok())
                .collect(),
            Self::Wide { unit, order } => {
                // Without an order it is that of the machine, as good as always the little one.
                let mark = order.is_none().then_some(MARK);
                let is_big = order == Some(Order::Big);
                let mut bytes = Vec::new();
                for c in mark.into_iter().chain(text.chars()) {
                    if unit == 4 {
                        push(&mut bytes, &u32::from(c).to_le_bytes(), is_big);
                        continue;
                    }
                    for half in c.encode_utf16(&mut [0; 2]) {
                        push(&mut bytes, &half.to_le_bytes(), is_big);
                    }
                }
                Some(bytes)
            }
        }
    }

    /// The bytes as text; None where they are none of this encoding.
    pub(super) fn decode(self, bytes: Vec<u8>) -> Option<String> {
        match self {
            Self::Utf8 => String::from_utf8(bytes).ok(),
            Self::Utf8WithMark => {
                let text = String::from_utf8(bytes).ok()?;
                Some(text.strip_prefix(MARK).map(str::to_owned).unwrap_or(text))
            }
            Self::Ascii => String::from_utf8(bytes).ok().filter(|text| text.is_ascii()),
            Self::Latin1 => Some(bytes.into_iter().map(char::from).collect()),
            Self::Wide { unit, order } => wide_text(&bytes, unit, order),
        }
    }
}

fn push(bytes: &mut Vec<u8>, little: &[u8], is_big: bool) {
    if is_big {
        bytes.extend(little.iter().rev());
    } else {
        bytes.extend(little);
    }
}

fn wide_text(bytes: &[u8], unit: usize, order: Option<Order>) -> Option<String> {
    if !bytes.len().is_multiple_of(unit) {
        return None;
    }
    let units = |is_big: bool| -> Vec<u32> {
        let number = |bytes: u32, byte: &u8| bytes << 8 | u32::from(*byte);
        bytes
            .chunks_exact(unit)
            .map(|unit| match is_big {
                true => unit.iter().fold(0, number),
                false => unit.iter().rev().fold(0, number),
            })
            .collect()
    };
    let mut units = match order {
        Some(order) => units(order == Order::Big),
        None => {
            let is_marked = |is_big| units(is_big).first() == Some(&u32::from(MARK));
            let mut units = units(is_marked(true));
            if units.first() == Some(&u32::from(MARK)) {
                units.remove(0);
            }
            units
        }
    };
    if unit == 4 {
        return units.drain(..).map(char::from_u32).collect();
    }
    let halves: Option<Vec<u16>> = units
        .drain(..)
        .map(|unit| u16::try_from(unit).ok())
        .collect();
    String::from_utf16(&halves?).ok()
}

#[cfg(test)]
mod tests {
    use super::Encoding;

    #[test]
    fn text_comes_back_from_every_encoding() {
        let names = [
            "utf-8",
            "utf-8-sig",
            "UTF_16",
            "utf-16-le",
            "utf-16-be",
            "utf-32",
            "utf-32-le",
            "utf-32-be",
        ];
        for name in names {
            let encoding = Encoding::named(name).unwrap();
            for text in ["", "a", "é€😀"] {
                let bytes = encoding.encode(text).unwrap();
                assert_eq!(encoding.decode(bytes).as_deref(), Some(text), "{name}");
            }
        }
        assert_eq!(Encoding::named("klingon"), None);
    }

    #[test]
    fn what_is_not_of_the_encoding_is_refused() {
        for (name, bytes) in [
            ("utf-8", vec![0xe9]),
            ("ascii", vec![0xc3, 0xa9]),
            ("utf-16", vec![0]),
            ("utf-16-le", vec![0, 0xd8]),
            ("utf-32-le", vec![0, 0, 0x11, 0]),
        ] {
            assert_eq!(Encoding::named(name).unwrap().decode(bytes), None, "{name}");
        }
        assert_eq!(Encoding::Ascii.encode("é"), None);
        assert_eq!(Encoding::Latin1.encode("€"), None);
        assert_eq!(Encoding::Latin1.encode("é"), Some(vec![0xe9]));
    }
}
