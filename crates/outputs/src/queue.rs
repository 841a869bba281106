//! What waits to be delivered by one output.
//!
//! The interface is narrow on purpose: messages are offered, taken in order, and settled when they are delivered or
//! lost. Between taking and settling they still belong to the queue, so that one that keeps them on disk can stand here.

use crate::error::Cause;
use crate::message::Message;
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded, select, unbounded};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

/// What taking led to.
#[derive(Debug)]
pub enum Taken {
    /// Messages, the oldest first; at least one.
    Messages(Vec<Message>),
    /// Somebody asked for attention.
    Woken,
    /// Nothing came in time.
    Idle,
}

/// Messages that wait for one output.
pub trait Queue: Send + Sync {
    /// Puts a message in, without ever waiting.
    ///
    /// # Errors
    /// [`Cause::QueueFull`] or [`Cause::MemoryFull`], when there is no room for it.
    fn offer(&self, message: Message) -> Result<(), Cause>;

    /// Takes up to `most` messages out; when there is none, waits for one, at most for `wait` (`None`: as long as it
    /// takes).
    fn take(&self, most: usize, wait: Option<Duration>) -> Taken;

    /// A message that was taken is delivered, or lost: it need not be kept any longer.
    fn settle(&self, message: &Message);

    /// Makes one [`Queue::take`], running or the next, return at once.
    fn wake(&self);

    /// Waits until a message was settled since the last call, at most for `wait`.
    fn wait_for_room(&self, wait: Duration);

    /// Messages not yet settled, and the bytes that they take.
    fn level(&self) -> (usize, usize);
}

/// A queue in memory.
#[derive(Debug)]
pub struct MemoryQueue {
    messages: (Sender<Message>, Receiver<Message>),
    wake: (Sender<()>, Receiver<()>),
    room: (Sender<()>, Receiver<()>),
    capacity: usize,
    max_bytes: usize,
    waiting: AtomicUsize,
    unsettled: AtomicUsize,
    bytes: AtomicUsize,
}

impl MemoryQueue {
    /// An empty queue. `capacity` bounds the messages that wait (0: no bound), `max_bytes` the memory of all that are
    /// not settled.
    pub fn new(capacity: usize, max_bytes: usize) -> Self {
        Self {
            messages: unbounded(),
            wake: bounded(1),
            room: bounded(1),
            capacity: if capacity == 0 { usize::MAX } else { capacity },
            max_bytes,
            waiting: AtomicUsize::new(0),
            unsettled: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
        }
    }
}

impl Queue for MemoryQueue {
    fn offer(&self, message: Message) -> Result<(), Cause> {
        let size = message.size();
        if self.waiting.fetch_add(1, SeqCst) >= self.capacity {
            self.waiting.fetch_sub(1, SeqCst);
            return Err(Cause::QueueFull);
        }
        // One that is too large for the whole queue is taken when it is alone: else it could never be delivered.
        let before = self.bytes.fetch_add(size, SeqCst);
        if before > 0 && before.saturating_add(size) > self.max_bytes {
            self.bytes.fetch_sub(size, SeqCst);
            self.waiting.fetch_sub(1, SeqCst);
            return Err(Cause::MemoryFull);
        }
        self.unsettled.fetch_add(1, SeqCst);
        // The receiving end lives as long as this.
        let _ = self.messages.0.send(message);
        Ok(())
    }

    fn take(&self, most: usize, wait: Option<Duration>) -> Taken {
        let timer = wait.map_or_else(crossbeam_channel::never, crossbeam_channel::after);
        let first = match self.messages.1.try_recv() {
            Ok(message) => message,
            Err(_) => select! {
                recv(self.messages.1) -> message => match message {
                    Ok(message) => message,
                    Err(_) => return Taken::Idle,
                },
                recv(self.wake.1) -> _ => return Taken::Woken,
                recv(timer) -> _ => return Taken::Idle,
            },
        };
        let mut taken = vec![first];
        taken.extend(self.messages.1.try_iter().take(most.saturating_sub(1)));
        self.waiting.fetch_sub(taken.len(), SeqCst);
        Taken::Messages(taken)
    }

    fn settle(&self, message: &Message) {
        self.unsettled.fetch_sub(1, SeqCst);
        self.bytes.fetch_sub(message.size(), SeqCst);
        let _ = self.room.0.try_send(());
    }

    fn wake(&self) {
        match self.wake.0.try_send(()) {
            Ok(()) | Err(TrySendError::Full(()) | TrySendError::Disconnected(())) => {}
        }
    }

    fn wait_for_room(&self, wait: Duration) {
        let _ = self.room.1.recv_timeout(wait);
    }

    fn level(&self) -> (usize, usize) {
        (self.unsettled.load(SeqCst), self.bytes.load(SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::testing::message;

    fn taken(queue: &MemoryQueue, most: usize) -> Vec<Message> {
        match queue.take(most, Some(Duration::ZERO)) {
            Taken::Messages(messages) => messages,
            Taken::Woken | Taken::Idle => Vec::new(),
        }
    }

    #[test]
    fn capacity_bounds_what_waits_and_order_holds() {
        let queue = MemoryQueue::new(2, usize::MAX);
        for text in ["a", "b"] {
            queue.offer(message(text)).unwrap();
        }
        assert_eq!(queue.offer(message("c")), Err(Cause::QueueFull));
        let first = taken(&queue, 1);
        assert_eq!(first[0].alert().message, "a");
        queue.offer(message("d")).unwrap();
        assert_eq!(queue.level().0, 3, "taken is not settled");
        queue.settle(&first[0]);
        let rest = taken(&queue, 10);
        assert_eq!(rest.iter().map(|m| m.alert().message.as_str()).collect::<Vec<_>>(), ["b", "d"]);
        rest.iter().for_each(|m| queue.settle(m));
        assert_eq!(queue.level(), (0, 0));
        assert!(taken(&queue, 1).is_empty());
    }

    #[test]
    fn bytes_bound_what_is_not_settled() {
        let large = "x".repeat(10_000);
        let queue = MemoryQueue::new(0, 15_000);
        queue.offer(message(&large)).expect("alone, it is taken whatever its size");
        assert_eq!(queue.offer(message("small")), Err(Cause::MemoryFull));
        let first = taken(&queue, 1);
        assert_eq!(queue.offer(message("small")), Err(Cause::MemoryFull), "it is still in memory");
        queue.settle(&first[0]);
        queue.offer(message("small")).unwrap();
    }

    #[test]
    fn waking_ends_one_wait() {
        let queue = MemoryQueue::new(0, 1000);
        queue.wake();
        queue.wake();
        assert!(matches!(queue.take(1, None), Taken::Woken));
        assert!(matches!(queue.take(1, Some(Duration::ZERO)), Taken::Idle));
    }
}
