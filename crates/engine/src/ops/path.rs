//! `pmatch`: is one of many paths a prefix of a path, component by component?

use super::glob::Glob;
use rustc_hash::FxHashMap;

/// A tree of path components.
#[derive(Debug, Clone, Default)]
pub struct PathTree {
    nodes: Vec<Node>,
}

#[derive(Debug, Clone, Default)]
struct Node {
    /// A listed path ends here.
    end: bool,
    literal: FxHashMap<Box<[u8]>, u32>,
    globs: Vec<(Box<[u8]>, Glob, u32)>,
}

fn components(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|b| *b == b'/').filter(|part| !part.is_empty())
}

impl PathTree {
    /// A tree of the given paths. Components with `?`, `*` or `[` are patterns; empty components vanish.
    pub fn new<'p>(paths: impl IntoIterator<Item = &'p [u8]>) -> Self {
        let mut tree = Self { nodes: vec![Node::default()] };
        for path in paths {
            let mut node = 0;
            for part in components(path) {
                node = tree.child(node, part);
            }
            tree.nodes[node].end = true;
        }
        tree
    }

    fn child(&mut self, node: usize, part: &[u8]) -> usize {
        let next = self.nodes.len() as u32;
        let own = &mut self.nodes[node];
        let child = if part.iter().any(|b| matches!(b, b'?' | b'*' | b'[')) {
            match own.globs.iter().find(|(text, _, _)| **text == *part) {
                Some((_, _, child)) => *child,
                None => {
                    own.globs.push((part.into(), Glob::new(part, false), next));
                    next
                }
            }
        } else {
            *own.literal.entry(part.into()).or_insert(next)
        };
        if child == next {
            self.nodes.push(Node::default());
        }
        child as usize
    }

    /// Whether a listed path is `path` or one of its ancestors.
    pub fn matches(&self, path: &[u8]) -> bool {
        self.walk(0, path)
    }

    fn walk(&self, node: usize, rest: &[u8]) -> bool {
        let Some(node) = self.nodes.get(node) else { return false };
        if node.end {
            return true;
        }
        let start = rest.iter().position(|b| *b != b'/').unwrap_or(rest.len());
        let rest = &rest[start..];
        if rest.is_empty() {
            return false;
        }
        let len = rest.iter().position(|b| *b == b'/').unwrap_or(rest.len());
        let (part, rest) = rest.split_at(len);
        let literal = node.literal.get(part).is_some_and(|child| self.walk(*child as usize, rest));
        literal || node.globs.iter().any(|(_, glob, child)| glob.matches(part) && self.walk(*child as usize, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(paths: &[&str], path: &str) -> bool {
        PathTree::new(paths.iter().map(|p| p.as_bytes())).matches(path.as_bytes())
    }

    #[test]
    fn prefixes_by_component() {
        let listed = ["/var/run", "/etc", "/lib", "/usr/lib"];
        assert!(matches(&listed, "/var/run/docker"));
        assert!(!matches(&listed, "/boot"));
        assert!(!matches(&listed, "/var/lib/messages"));
        assert!(!matches(&listed, "/var"));
        assert!(!matches(&listed, "/etcetera"));
        assert!(matches(&listed, "//etc//passwd"));
        assert!(matches(&["/"], "/anything") && matches(&["/"], ""));
        assert!(!matches(&[], "/"));
        assert!(matches(&["/usr/lib", "/usr"], "/usr/bin"));
    }

    #[test]
    fn patterns_stay_in_their_component() {
        assert!(matches(&["/home/*/.ssh"], "/home/me/.ssh/id_rsa"));
        assert!(!matches(&["/home/*/.ssh"], "/home/a/b/.ssh"));
        assert!(matches(&["/a/x", "/a/?"], "/a/y/z"));
    }
}
