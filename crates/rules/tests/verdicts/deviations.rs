//! Differences from Falco that are known, each with its reason, in `deviations.txt`.

/// Whether a difference is listed. A line of the file is `FILE<tab>PATH<tab>REASON`; lines with `#` are comments.
pub fn is_listed(difference: &str) -> bool {
    let head = difference.lines().next().unwrap_or_default();
    include_str!("../deviations.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit_once('\t'))
        .any(|(known, reason)| !reason.is_empty() && known == head)
}
