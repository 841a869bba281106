//! "Did you mean": the nearest known name to a misspelt one.

/// The known name with the smallest edit distance, if it is small for the name's length.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > 64 {
        return None;
    }
    let limit = 1 + name.len() / 4;
    let measured = known.into_iter().filter(|k| k.len().abs_diff(name.len()) <= limit);
    let measured = measured.map(|k| (distance(name.as_bytes(), k.as_bytes()), k));
    measured.filter(|(d, _)| *d <= limit && *d < name.len()).min().map(|(_, k)| k)
}

/// Insertions, deletions, replacements and swaps of neighbours between two texts.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let same = usize::from(!a[i - 1].eq_ignore_ascii_case(&b[j - 1]));
            row[j] = (last[j - 1] + same).min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        assert_eq!(nearest("opne", ["close", "open", "openat"]), Some("open"));
        assert_eq!(nearest("spawned_proces", ["spawned_process", "open_read"]), Some("spawned_process"));
        assert_eq!(nearest("xyz", ["open", "close"]), None);
    }
}
