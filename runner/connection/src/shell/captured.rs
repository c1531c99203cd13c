//! A command's output in memory: all of it, or its head and its tail.
//!
//! Must not: grow beyond its limit, whatever a host sends.

use std::borrow::Cow;
use std::collections::VecDeque;

/// One output stream of a command, bounded in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Captured {
    limit: usize,
    total_bytes: u64,
    head: Vec<u8>,
    tail: VecDeque<u8>,
}

impl Captured {
    /// Makes an empty one that keeps at most so many bytes.
    pub fn with_limit(limit: usize) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// Makes one that holds exactly these bytes.
    pub fn whole(bytes: impl Into<Vec<u8>>) -> Self {
        let head = bytes.into();
        Self {
            limit: head.len(),
            total_bytes: head.len() as u64,
            head,
            tail: VecDeque::new(),
        }
    }

    /// Takes more bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        let was_truncated = self.is_truncated();
        self.total_bytes += bytes.len() as u64;
        if !was_truncated && self.head.len() + bytes.len() <= self.limit {
            self.head.extend_from_slice(bytes);
            return;
        }
        let head_limit = self.limit / 2;
        let tail_limit = self.limit - head_limit;
        let mut rest = bytes;
        if !was_truncated {
            if self.head.len() > head_limit {
                self.tail = self.head.split_off(head_limit).into();
            } else {
                let (fits, over) = rest.split_at(head_limit - self.head.len());
                self.head.extend_from_slice(fits);
                rest = over;
            }
        }
        let kept = &rest[rest.len().saturating_sub(tail_limit)..];
        let excess = (self.tail.len() + kept.len()).saturating_sub(tail_limit);
        self.tail.drain(..excess);
        self.tail.extend(kept);
    }

    /// Number of bytes the command wrote, kept or not.
    pub fn total_bytes(&self) -> u64 {
        self.total_bytes
    }

    /// Tells whether bytes between head and tail were left out.
    pub fn is_truncated(&self) -> bool {
        self.total_bytes > self.limit as u64
    }

    /// Number of bytes left out.
    pub fn omitted_bytes(&self) -> u64 {
        self.total_bytes - (self.head.len() + self.tail.len()) as u64
    }

    /// The bytes before the gap; all of them when nothing was left out.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// The bytes after the gap; empty when nothing was left out.
    pub fn tail(&self) -> Cow<'_, [u8]> {
        match self.tail.as_slices() {
            (front, []) => Cow::Borrowed(front),
            _ => Cow::Owned(self.tail.iter().copied().collect()),
        }
    }

    /// Head and tail, with a line that names the gap between them where there is one.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        if !self.is_truncated() {
            return Cow::Borrowed(&self.head);
        }
        let gap = format!("\n[... {} bytes left out ...]\n", self.omitted_bytes());
        let mut all = Vec::with_capacity(self.head.len() + gap.len() + self.tail.len());
        all.extend_from_slice(&self.head);
        all.extend_from_slice(gap.as_bytes());
        all.extend(&self.tail);
        Cow::Owned(all)
    }

    /// The same as text; bytes that are not UTF-8 become U+FFFD.
    pub fn text(&self) -> Cow<'_, str> {
        match self.bytes() {
            Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Captured;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keeps_head_and_tail_whatever_the_chunks(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..20),
            limit in 0usize..120,
        ) {
            let mut captured = Captured::with_limit(limit);
            for chunk in &chunks {
                captured.push(chunk);
            }
            let all = chunks.concat();
            prop_assert_eq!(captured.total_bytes(), all.len() as u64);
            prop_assert_eq!(captured.is_truncated(), all.len() > limit);
            if all.len() <= limit {
                prop_assert!(captured.bytes() == all.as_slice());
            } else {
                let head = limit / 2;
                prop_assert_eq!(captured.head(), &all[..head]);
                prop_assert!(captured.tail() == &all[all.len() - (limit - head)..]);
                prop_assert_eq!(captured.omitted_bytes(), (all.len() - limit) as u64);
            }
        }
    }
}
