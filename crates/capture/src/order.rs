//! Events of several buffers in the order of their times.
//!
//! Each CPU's buffer is in order by itself; together they are not. [`Merge::drain`] gives the earliest event of all,
//! again and again, up to a moment until which every buffer is known to be complete. It buffers nothing: events stay
//! where they are until they are taken.

/// A buffer of events in the order of their times.
pub trait Source {
    /// Time of its next event in nanoseconds, or `None` while it is empty.
    fn head(&mut self) -> Option<u64>;
}

/// Merges buffers; holds one time per buffer and no events.
#[derive(Debug, Default)]
pub struct Merge {
    /// A binary heap, the earliest first: `(time, index of the source)`.
    heap: Vec<(u64, u32)>,
    last: u64,
    late: u64,
}

impl Merge {
    /// A merge with nothing seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Events that came later than one already given with a greater time: a source was not complete until the moment
    /// that the caller named, or not in order itself.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// Gives every event up to and including the time `until`, the earliest first; of equal times, that of the source
    /// with the lower index first. `take` must take the head off the source it is given, and says whether to go on.
    /// What arrives in a source meanwhile is given too, if it is not beyond `until`. Says how many were taken.
    pub fn drain<S: Source>(
        &mut self,
        sources: &mut [S],
        until: u64,
        mut take: impl FnMut(usize, &mut S) -> bool,
    ) -> usize {
        self.heap.clear();
        let heads = sources.iter_mut().enumerate().filter_map(|(index, s)| Some((s.head()?, index as u32)));
        self.heap.extend(heads.filter(|(time, _)| *time <= until));
        // A sorted array is a heap.
        self.heap.sort_unstable();
        let mut taken = 0;
        while let Some(&(time, index)) = self.heap.first() {
            self.late += u64::from(time < self.last);
            self.last = self.last.max(time);
            let source = &mut sources[index as usize];
            taken += 1;
            if !take(index as usize, source) {
                break;
            }
            match source.head().filter(|time| *time <= until) {
                Some(next) => self.heap[0] = (next, index),
                None => {
                    self.heap.swap_remove(0);
                }
            }
            self.sink();
        }
        taken
    }

    /// Puts the heap's first element in its place.
    fn sink(&mut self) {
        let mut at = 0;
        loop {
            let (left, right) = (at * 2 + 1, at * 2 + 2);
            let mut least = at;
            for child in [left, right] {
                if child < self.heap.len() && self.heap[child] < self.heap[least] {
                    least = child;
                }
            }
            if least == at {
                return;
            }
            self.heap.swap(at, least);
            at = least;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    struct Queue(VecDeque<u64>);

    impl Source for Queue {
        fn head(&mut self) -> Option<u64> {
            self.0.front().copied()
        }
    }

    fn queues(times: &[Vec<u64>]) -> Vec<Queue> {
        times.iter().map(|t| Queue(t.iter().copied().collect())).collect()
    }

    fn drained(merge: &mut Merge, queues: &mut [Queue], until: u64) -> Vec<(u64, usize)> {
        let mut out = Vec::new();
        merge.drain(queues, until, |index, queue| {
            out.push((queue.0.pop_front().unwrap(), index));
            true
        });
        out
    }

    #[test]
    fn what_comes_too_late_is_given_and_counted() {
        let mut merge = Merge::new();
        let mut queues = queues(&[vec![10, 20], vec![]]);
        assert_eq!(drained(&mut merge, &mut queues, 30).len(), 2);
        queues[1].0.extend([15, 25]);
        assert_eq!(drained(&mut merge, &mut queues, 30), [(15, 1), (25, 1)]);
        assert_eq!(merge.late(), 1);
    }

    #[test]
    fn taking_can_stop_and_go_on() {
        let mut merge = Merge::new();
        let mut queues = queues(&[vec![1, 3], vec![2, 4]]);
        let mut first = 0;
        let taken = merge.drain(&mut queues, 9, |_, queue| {
            first = queue.0.pop_front().unwrap();
            false
        });
        assert_eq!((taken, first), (1, 1));
        assert_eq!(drained(&mut merge, &mut queues, 9), [(2, 1), (3, 0), (4, 1)]);
        assert_eq!(merge.late(), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Drained in any number of steps, sorted queues give what sorting gives, and nothing beyond the moment.
        #[test]
        fn as_sorting(
            mut times in prop::collection::vec(prop::collection::vec(0u64..100, 0..20), 0..9),
            mut moments in prop::collection::vec(0u64..120, 0..5),
        ) {
            times.iter_mut().for_each(|t| t.sort_unstable());
            moments.sort_unstable();
            moments.push(u64::MAX);
            let mut wanted: Vec<(u64, usize)> =
                times.iter().enumerate().flat_map(|(i, t)| t.iter().map(move |t| (*t, i))).collect();
            wanted.sort_unstable();
            let (mut merge, mut queues, mut got) = (Merge::new(), queues(&times), Vec::new());
            for until in moments {
                let part = drained(&mut merge, &mut queues, until);
                prop_assert!(part.iter().all(|(time, _)| *time <= until));
                got.extend(part);
                let left = wanted.get(got.len()).map(|(time, _)| *time);
                prop_assert!(left.is_none_or(|time| time > until), "an event up to the moment was left");
            }
            prop_assert_eq!(got, wanted);
            prop_assert_eq!(merge.late(), 0);
        }

        /// Queues that are filled between steps never lose an event, and what is out of order is counted.
        #[test]
        fn nothing_is_lost(steps in prop::collection::vec((0usize..4, 0u64..50, 0u64..60), 0..60)) {
            let (mut merge, mut queues, mut got) = (Merge::new(), queues(&vec![vec![]; 4]), Vec::new());
            for (queue, time, until) in &steps {
                queues[*queue].0.push_back(*time);
                got.extend(drained(&mut merge, &mut queues, *until));
            }
            got.extend(drained(&mut merge, &mut queues, u64::MAX));
            prop_assert_eq!(got.len(), steps.len());
            let mut highest = 0;
            let late = got.iter().filter(|(time, _)| {
                let late = *time < highest;
                highest = highest.max(*time);
                late
            });
            prop_assert_eq!(merge.late(), late.count() as u64);
        }
    }
}
