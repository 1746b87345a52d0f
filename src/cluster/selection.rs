//! Which channels of a cluster a node follows, and on which channels of its own they are.

use crate::sink::ChannelId;
use std::collections::BTreeMap;

/// Channels to follow. By default all of them, each under its own name.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    globs: Vec<String>,
    /// A channel of the cluster, and the node's own that it is on.
    map: BTreeMap<ChannelId, ChannelId>,
}

/// Two channels of a cluster that would be on one of the node's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} and {1} would both be on {2}; a stream shows one of them")]
pub struct Collision(ChannelId, ChannelId, ChannelId);

impl Selection {
    /// The channels that one of `globs` matches (all of them, where there is none), and those that `map` names; `map` says
    /// on which channel of the node a channel of the cluster is.
    pub fn new(globs: Vec<String>, map: &[(ChannelId, ChannelId)]) -> Result<Self, Collision> {
        let mut taken = BTreeMap::new();
        for (from, to) in map {
            if let Some(other) = taken.insert(to.clone(), from.clone())
                && other != *from
            {
                return Err(Collision(other, from.clone(), to.clone()));
            }
        }
        Ok(Selection { globs, map: map.iter().cloned().collect() })
    }

    /// The node's channel for one of the cluster. `None` where it is not followed: no pattern matches it, or another
    /// channel is mapped to its name.
    pub fn target(&self, channel: &ChannelId) -> Option<ChannelId> {
        if let Some(to) = self.map.get(channel) {
            return Some(to.clone());
        }
        let name = channel.name().unwrap_or("");
        let is_chosen = self.globs.is_empty() || self.globs.iter().any(|glob| matches(glob, name));
        (is_chosen && !self.map.values().any(|to| to == channel)).then(|| channel.clone())
    }
}

/// Whether a pattern matches a whole name: `*` stands for any characters, `?` for one.
fn matches(glob: &str, name: &str) -> bool {
    let (glob, name): (Vec<char>, Vec<char>) = (glob.chars().collect(), name.chars().collect());
    let (mut g, mut n) = (0, 0);
    // Behind the last star, and what of the name it stands for so far.
    let mut star = None;
    while n < name.len() {
        match glob.get(g) {
            Some('*') => {
                star = Some((g + 1, n));
                g += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => (g, n) = (g + 1, n + 1),
            _ => match star {
                Some((behind, stood)) => {
                    star = Some((behind, stood + 1));
                    (g, n) = (behind, stood + 1);
                }
                None => return false,
            },
        }
    }
    glob[g..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> ChannelId {
        ChannelId::new(name)
    }

    #[test]
    fn patterns_match_whole_names() {
        for (glob, name) in
            [("*", ""), ("*", "a"), ("CAM ?", "CAM A"), ("*wall*", "left wall 2"), ("", ""), ("a*b*c", "abbbc")]
        {
            assert!(matches(glob, name), "{glob} {name}");
        }
        for (glob, name) in [("", "a"), ("?", ""), ("CAM ?", "CAM AB"), ("wall", "wall 2"), ("a*b", "abc"), ("A", "a")]
        {
            assert!(!matches(glob, name), "{glob} {name}");
        }
        // What would take for ever if every star were tried against every other.
        assert!(!matches(&"a*".repeat(30), &"a".repeat(29)));
        assert!(!matches(&format!("{}b", "*a".repeat(200)), &"a".repeat(5000)));
    }

    #[test]
    fn a_channel_is_on_its_own_name_or_on_that_given() {
        let all = Selection::default();
        assert_eq!(all.target(&id("x")), Some(id("x")));
        let map = [(id("grade"), id("left")), (id(""), id("right"))];
        let some = Selection::new(vec!["left*".into()], &map).unwrap();
        assert_eq!(some.target(&id("grade")), Some(id("left")), "what is mapped needs no pattern");
        assert_eq!(some.target(&id("")), Some(id("right")));
        assert_eq!(some.target(&id("left 2")), Some(id("left 2")));
        assert_eq!(some.target(&id("left")), None, "its place is taken");
        assert_eq!(some.target(&id("other")), None);
    }

    #[test]
    fn two_channels_cannot_be_on_one() {
        let two = Selection::new(vec![], &[(id("a"), id("c")), (id("b"), id("c"))]).unwrap_err();
        assert_eq!(
            two.to_string(),
            "channel \"a\" and channel \"b\" would both be on channel \"c\"; a stream shows one of them"
        );
        assert!(Selection::new(vec![], &[(id("a"), id("c")), (id("a"), id("c"))]).is_ok());
    }
}
