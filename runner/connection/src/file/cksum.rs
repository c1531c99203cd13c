//! The checksum of POSIX `cksum`, sixteen bytes at a time.
//!
//! It finds what an accident changes and costs next to nothing on either side. Must not: stand for a digest; anybody can make
//! content that fits.

/// The generator of the standard, its highest power left out.
const GENERATOR: u32 = 0x04c1_1db7;

/// `TABLES[n][byte]`: what a byte adds to the remainder when `n` more bytes follow it.
static TABLES: [[u32; 256]; 16] = tables();

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler, which refuses an index that is too large"
)]
const fn tables() -> [[u32; 256]; 16] {
    let mut tables = [[0; 256]; 16];
    let mut byte = 0;
    while byte < 256 {
        let mut remainder = (byte as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            let carries = remainder & 0x8000_0000 != 0;
            remainder <<= 1;
            if carries {
                remainder ^= GENERATOR;
            }
            bit += 1;
        }
        tables[0][byte] = remainder;
        byte += 1;
    }
    let mut table = 1;
    while table < 16 {
        let mut byte = 0;
        while byte < 256 {
            let before: u32 = tables[table - 1][byte];
            tables[table][byte] = (before << 8) ^ tables[0][(before >> 24) as usize];
            byte += 1;
        }
        table += 1;
    }
    tables
}

/// Sums up content as POSIX `cksum` does.
#[derive(Debug, Clone, Default)]
pub struct Cksum {
    remainder: u32,
    length: u64,
}

impl Cksum {
    /// Takes the next part of the content.
    pub fn update(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        let (chunks, rest) = bytes.as_chunks::<16>();
        for chunk in chunks {
            let mut word = *chunk;
            for (byte, carried) in word.iter_mut().zip(self.remainder.to_be_bytes()) {
                *byte ^= carried;
            }
            // The first byte of a chunk has fifteen behind it.
            self.remainder = TABLES
                .iter()
                .rev()
                .zip(word)
                .fold(0, |sum, (table, byte)| sum ^ table[usize::from(byte)]);
        }
        for &byte in rest {
            self.add(byte);
        }
    }

    /// Gives the sum of all that was taken; the length belongs to it.
    pub fn finish(mut self) -> u32 {
        let mut length = self.length;
        while length > 0 {
            self.add(length.to_le_bytes()[0]);
            length >>= 8;
        }
        !self.remainder
    }

    /// Gives the sum of these bytes.
    pub fn of(bytes: &[u8]) -> u32 {
        let mut sum = Self::default();
        sum.update(bytes);
        sum.finish()
    }

    fn add(&mut self, byte: u8) {
        let [first, ..] = self.remainder.to_be_bytes();
        self.remainder = (self.remainder << 8) ^ TABLES[0][usize::from(first ^ byte)];
    }
}

impl std::io::Write for Cksum {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_program() {
        // As `printf ... | cksum` tells them.
        assert_eq!(Cksum::of(b""), 4_294_967_295);
        assert_eq!(Cksum::of(b"123456789"), 930_766_865);
        let long: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        assert_eq!(Cksum::of(&long), 2448995759);
    }

    #[test]
    fn the_parts_do_not_matter() {
        let bytes: Vec<u8> = (0..200).collect();
        for at in [0, 1, 15, 16, 17, 100, 200] {
            let (head, tail) = bytes.split_at(at);
            let mut sum = Cksum::default();
            sum.update(head);
            sum.update(tail);
            assert_eq!(sum.finish(), Cksum::of(&bytes), "{at}");
        }
    }
}
