//! The threads that ask, so that no loop over events ever waits for a runtime: one looks into files, which is quick, the
//! other asks sockets, which need not answer.

use crate::api;
use crate::docker;
use crate::find::{Found, find};
use crate::http::Http;
use crate::query::Query;
use crate::settings::Settings;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use peregrine_state::Container;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Questions and answers that wait at most.
const QUEUE: usize = 4096;
/// When files that are not there are looked for again, after the first look.
const AGAIN: &[Duration] = &[ms(10), ms(30), ms(80), ms(200), ms(400)];
/// Ids that no runtime made up look like containers of containerd's API, and are mostly somebody's control group: they
/// are looked for again as often.
const UNLIKELY: usize = 2;
/// When an address that was not there yet is looked for again.
const ADDRESS: &[Duration] = &[ms(300), ms(1500)];

/// Length of the ids that runtimes make up.
const FULL: usize = 64;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// What became of questions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Containers that were asked for.
    pub asked: u64,
    /// Those of which something became known.
    pub found: u64,
    /// Those of which nothing did.
    pub unknown: u64,
    /// Questions and answers that were lost because too many waited.
    pub lost: u64,
}

#[derive(Default)]
struct Counters {
    asked: AtomicU64,
    found: AtomicU64,
    unknown: AtomicU64,
    lost: AtomicU64,
}

/// The thread at work. It ends when this is dropped.
pub struct Service {
    questions: Option<Sender<Query>>,
    answers: Receiver<Container>,
    counters: Arc<Counters>,
    workers: Vec<JoinHandle<()>>,
}

/// What the thread at the sockets is told.
enum Ask {
    /// No file says anything (yet), or not everything.
    Inspect { id: String, full_id: String },
    /// No file says anything, and none will.
    Last { id: String },
}

impl Service {
    /// Starts it, with the privileges of the calling thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(settings: Settings) -> std::io::Result<Self> {
        let (questions, asked) = bounded(QUEUE);
        let (told, answers) = bounded(QUEUE);
        let counters = Arc::new(Counters::default());
        let (asking, sockets) = bounded(QUEUE);
        let mut inspector = Inspector {
            settings: settings.clone(),
            http: Http::new()?,
            told: told.clone(),
            counters: Arc::clone(&counters),
            found: VecDeque::new(),
        };
        let mut worker = Worker { settings, told, asking, counters: Arc::clone(&counters), later: Vec::new() };
        let named = |name: &str| std::thread::Builder::new().name(name.into());
        let workers = vec![
            named("containers").spawn(move || worker.run(&asked))?,
            named("container-apis").spawn(move || sockets.iter().for_each(|ask| inspector.ask(ask)))?,
        ];
        Ok(Self { questions: Some(questions), answers, counters, workers })
    }

    /// Asks, without waiting; `false` if there is no room.
    pub fn ask(&self, query: Query) -> bool {
        self.counters.asked.fetch_add(1, Relaxed);
        let sent = self.questions.as_ref().map(|questions| questions.try_send(query));
        let taken = matches!(sent, Some(Ok(())));
        if !taken {
            self.counters.lost.fetch_add(1, Relaxed);
        }
        taken
    }

    /// The answers that are there; of a container that nobody knows, that nobody does.
    pub fn answers(&self) -> impl Iterator<Item = Container> {
        self.answers.try_iter()
    }

    /// The next answer, if it comes in time; for callers that may wait.
    pub fn wait(&self, patience: Duration) -> Option<Container> {
        self.answers.recv_timeout(patience).ok()
    }

    /// What became of questions so far.
    pub fn figures(&self) -> Figures {
        let [asked, found, unknown, lost] =
            [&self.counters.asked, &self.counters.found, &self.counters.unknown, &self.counters.lost]
                .map(|counter| counter.load(Relaxed));
        Figures { asked, found, unknown, lost }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.questions.take());
        // They wait for nothing but questions, files of this machine and, for seconds, sockets.
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
    }
}

struct Worker {
    settings: Settings,
    told: Sender<Container>,
    asking: Sender<Ask>,
    counters: Arc<Counters>,
    later: Vec<Later>,
}

/// A question that is looked at once more.
struct Later {
    at: Instant,
    query: Query,
    tries: usize,
    /// Whether it was answered, and only the address is missing.
    answered: bool,
}

impl Worker {
    fn run(&mut self, asked: &Receiver<Query>) {
        loop {
            let next = self.later.iter().map(|later| later.at).min();
            let received = match next {
                Some(at) => asked.recv_deadline(at),
                None => asked.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match received {
                Ok(query) => self.look(Later { at: Instant::now(), query, tries: 0, answered: false }),
                Err(RecvTimeoutError::Timeout) => self.look_again(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn look_again(&mut self) {
        let now = Instant::now();
        let (due, later) = std::mem::take(&mut self.later).into_iter().partition(|later| later.at <= now);
        self.later = later;
        let due: Vec<Later> = due;
        due.into_iter().for_each(|later| self.look(later));
    }

    fn look(&mut self, mut later: Later) {
        let found = find(&later.query, &self.settings);
        let tries = later.tries;
        later.tries += 1;
        match found {
            Some(Found { container, complete }) => {
                let incomplete = docker::awaits_address(&container);
                if !later.answered {
                    self.counters.found.fetch_add(1, Relaxed);
                    if !complete {
                        self.inspect(&later.query);
                    }
                }
                if !later.answered || !incomplete {
                    self.tell(container);
                }
                let tries = if later.answered { tries } else { 0 };
                if incomplete && let Some(wait) = ADDRESS.get(tries) {
                    self.put_off(Later { tries: tries + 1, answered: true, ..later }, *wait);
                }
            }
            None if later.answered => {}
            None => match AGAIN.get(tries).filter(|_| tries < UNLIKELY || later.query.full_id.len() == FULL) {
                Some(wait) => {
                    if tries == 0 {
                        self.inspect(&later.query);
                    }
                    self.put_off(later, *wait);
                }
                None => self.give_up(later.query.id),
            },
        }
    }

    fn put_off(&mut self, later: Later, wait: Duration) {
        if self.later.len() < QUEUE {
            self.later.push(Later { at: Instant::now() + wait, ..later });
        } else {
            self.counters.lost.fetch_add(1, Relaxed);
            self.give_up(later.query.id);
        }
    }

    /// Has the sockets asked as well.
    fn inspect(&self, query: &Query) {
        let ask = Ask::Inspect { id: query.id.clone(), full_id: query.full_id.clone() };
        if self.asking.try_send(ask).is_err() {
            self.counters.lost.fetch_add(1, Relaxed);
        }
    }

    /// No file says anything: what the sockets said is the last word.
    fn give_up(&self, id: String) {
        if let Err(TrySendError::Full(Ask::Last { id })) = self.asking.try_send(Ask::Last { id }) {
            self.counters.unknown.fetch_add(1, Relaxed);
            self.tell(Container::unknown(&id));
        }
    }

    fn tell(&self, answer: Container) {
        tell(&self.told, &self.counters, answer);
    }
}

fn tell(told: &Sender<Container>, counters: &Counters, answer: Container) {
    if let Err(TrySendError::Full(_)) = told.try_send(answer) {
        counters.lost.fetch_add(1, Relaxed);
    }
}

/// The thread at the sockets.
struct Inspector {
    settings: Settings,
    http: Http,
    told: Sender<Container>,
    counters: Arc<Counters>,
    /// Ids of the last containers that a socket knew.
    found: VecDeque<String>,
}

impl Inspector {
    fn ask(&mut self, ask: Ask) {
        match ask {
            Ask::Inspect { id, full_id } => {
                let Some(mut container) = api::inspect(&self.http, &self.settings, &full_id) else { return };
                container.id.clone_from(&id);
                self.found.push_front(id);
                self.found.truncate(QUEUE);
                tell(&self.told, &self.counters, container);
            }
            Ask::Last { id } => match self.found.iter().position(|found| *found == id) {
                Some(at) => {
                    self.found.remove(at);
                    self.counters.found.fetch_add(1, Relaxed);
                }
                None => {
                    self.counters.unknown.fetch_add(1, Relaxed);
                    tell(&self.told, &self.counters, Container::unknown(&id));
                }
            },
        }
    }
}
