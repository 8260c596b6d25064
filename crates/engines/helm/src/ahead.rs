//! Work that is begun before anybody asks for it.
//!
//! While an archive is still being unpacked, the templates and values that came out of it can be parsed. [`Ahead`] does that on
//! one more thread; what it has not begun with when it is asked for, whoever asks does. The results are the same as
//! without it, errors included: it changes only when things are done. A command that renders one chart has the processor to
//! itself and takes one; a controller, in which many charts are rendered side by side, takes none.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use weir_gotmpl::{ParseError, Parsed, Set};

use crate::chart::{File, LeftOut, TEMPLATES, Values, is_crd, read_values};
use crate::render::template_set;

/// Values below this many bytes are read sooner than handed over.
const WORTH_HANDING_OVER: usize = 4 << 10;

/// Definitions below this many bytes are unpacked sooner than left out.
const WORTH_LEAVING_OUT: usize = 16 << 10;

/// What is done ahead, and what came of it.
///
/// What was parsed is kept until this is dropped.
#[derive(Debug)]
pub struct Ahead {
    set: Set,
    state: Mutex<State>,
    changed: Condvar,
    has_definitions: bool,
    left_out: Arc<LeftOut>,
}

#[derive(Debug, Default)]
struct State {
    /// What waits, the next one first. Some of it may have been taken since.
    queue: VecDeque<usize>,
    /// By the address of the content, which lives as long as what is kept here.
    jobs: BTreeMap<usize, Job>,
    is_over: bool,
}

#[derive(Debug)]
enum Job {
    Waiting(Task),
    Begun,
    Parsed(Template, Result<Parsed, ParseError>),
    Read(File, Values),
}

#[derive(Debug)]
enum Task {
    Parse(Template),
    Read(File),
}

#[derive(Debug)]
struct Template {
    name: String,
    text: Arc<String>,
}

/// What is known of a template that is asked for.
enum Found {
    Parsed(Result<Parsed, ParseError>),
    /// Another thread is at it.
    Begun,
    /// It is for whoever asks to parse.
    Nothing,
}

impl Default for Ahead {
    fn default() -> Self {
        Self {
            set: template_set(),
            state: Mutex::default(),
            changed: Condvar::new(),
            has_definitions: true,
            left_out: Arc::default(),
        }
    }
}

/// Whether a path in an archive, the top folder included, is that of a definition in a chart's `crds/`.
fn is_definition(path: &str) -> bool {
    let Some((_, mut below)) = path.split_once('/') else {
        return false;
    };
    while let Some((_, deeper)) = below
        .strip_prefix("charts/")
        .and_then(|name| name.split_once('/'))
    {
        below = deeper;
    }
    is_crd(below)
}

/// Ends the thread, whatever happens.
struct Over<'a>(&'a Ahead);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_over = true;
        state.queue.clear();
        self.0.changed.notify_all();
    }
}

impl Ahead {
    /// Leaves the definitions in `crds/` packed: they are most of what large charts hold, and often nobody is to see them.
    /// Should a template read one, what it renders is wrong, and [`Self::was_missed`] says so.
    #[must_use]
    pub fn without_definitions(mut self) -> Self {
        self.has_definitions = false;
        self
    }

    /// Whether a template has asked for what was left packed. The chart is then to be loaded and rendered without this.
    pub fn was_missed(&self) -> bool {
        self.left_out.is_missed()
    }

    /// Whether the content of a file in an archive is to be unpacked.
    pub(crate) fn wants(&self, path: &str, size: usize) -> bool {
        self.has_definitions || size < WORTH_LEAVING_OUT || !is_definition(path)
    }

    /// For files whose content was not.
    pub(crate) fn left_out(&self) -> Arc<LeftOut> {
        Arc::clone(&self.left_out)
    }

    /// Runs something beside the thread that works ahead of it. Without a thread all is done when it is asked for.
    pub fn beside<T>(&self, run: impl FnOnce() -> T) -> T {
        std::thread::scope(|scope| {
            let _worker = std::thread::Builder::new()
                .name("helm-ahead".to_owned())
                .spawn_scoped(scope, || self.work());
            let _over = Over(self);
            run()
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No change of the state can be half made.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut state = self.lock();
        while !state.is_over {
            let Some(key) = state.queue.pop_front() else {
                state = self.wait(state);
                continue;
            };
            let Some(task) = state.begin(key) else { continue };
            drop(state);
            // Should it break down, whoever asks does it once more, and breaks down too.
            let done = catch_unwind(AssertUnwindSafe(|| self.perform(task)));
            state = self.lock();
            match done {
                Ok(job) => state.jobs.insert(key, job),
                Err(_) => state.jobs.remove(&key),
            };
            self.changed.notify_all();
        }
    }

    fn perform(&self, task: Task) -> Job {
        match task {
            Task::Parse(template) => {
                let parsed = self.set.read(&template.name, &template.text);
                Job::Parsed(template, parsed)
            }
            Task::Read(file) => {
                let values = read_values(&file);
                Job::Read(file, values)
            }
        }
    }

    /// Takes in a file of an archive, below its top folder. As folders are named as their charts nearly always, so will its
    /// template be; under another name it is parsed once more.
    pub(crate) fn offer(&self, top: &str, file: &mut File) {
        let key = file.data.as_ptr().addr();
        if file.data.is_empty() {
            return;
        }
        if file.name == "values.yaml"
            || (file.name.ends_with("/values.yaml") && file.name.starts_with("charts/"))
        {
            if file.data.len() >= WORTH_HANDING_OVER {
                let mut state = self.lock();
                state.jobs.insert(key, Job::Waiting(Task::Read(file.clone())));
                // Loading waits for them, rendering for templates.
                state.queue.push_front(key);
                self.changed.notify_all();
            }
            return;
        }
        if !file.name.contains(TEMPLATES) {
            return;
        }
        file.share_text();
        let template = Template {
            name: format!("{top}/{}", file.name),
            text: file.shared_text(),
        };
        let key = template.text.as_ptr().addr();
        let mut state = self.lock();
        state.jobs.insert(key, Job::Waiting(Task::Parse(template)));
        state.queue.push_back(key);
        self.changed.notify_all();
    }

    /// Whether values are being read, or have been. If not, they are left to whoever asks.
    pub(crate) fn has_begun(&self, file: &File) -> bool {
        let key = file.data.as_ptr().addr();
        let mut state = self.lock();
        match state.jobs.get(&key) {
            Some(Job::Waiting(_)) => {
                state.jobs.remove(&key);
                false
            }
            job => job.is_some(),
        }
    }

    /// The values of a file, if they have been begun.
    pub(crate) fn values(&self, file: &File) -> Option<Values> {
        let key = file.data.as_ptr().addr();
        let mut state = self.lock();
        loop {
            match state.jobs.get(&key) {
                Some(Job::Begun) => state = self.wait(state),
                Some(Job::Read(read, values)) if read.data == file.data => return Some(values.clone()),
                _ => return None,
            }
        }
    }

    /// The set that templates are parsed for, without any.
    pub(crate) fn set(&self) -> Set {
        self.set.clone()
    }

    /// Parses texts under their names into the set, with the same result as [`Set::parse_all`].
    pub(crate) fn parse_all(&self, set: &mut Set, texts: &[(&str, Arc<String>)]) -> Result<(), ParseError> {
        self.forget_others(texts);
        let mut parsed: Vec<Option<Result<Parsed, ParseError>>> = Vec::with_capacity(texts.len());
        for (name, text) in texts {
            parsed.push(match self.find(name, text) {
                Found::Parsed(parsed) => Some(parsed),
                Found::Nothing => Some(self.set.read(name, text)),
                // There is other work in the meantime.
                Found::Begun => None,
            });
        }
        for ((name, text), parsed) in texts.iter().zip(parsed) {
            let parsed = parsed.unwrap_or_else(|| self.finish(name, text));
            set.put(&parsed?);
        }
        Ok(())
    }

    /// Leaves alone what nobody will ask for: the templates of charts that do not take part.
    fn forget_others(&self, texts: &[(&str, Arc<String>)]) {
        let wanted: BTreeSet<usize> = texts.iter().map(|(_, text)| text.as_ptr().addr()).collect();
        self.lock().queue.retain(|key| wanted.contains(key));
    }

    fn find(&self, name: &str, text: &Arc<String>) -> Found {
        let key = text.as_ptr().addr();
        let mut state = self.lock();
        match state.jobs.get(&key) {
            Some(Job::Parsed(template, parsed)) if template.is(name, text) => Found::Parsed(parsed.clone()),
            Some(Job::Begun) => Found::Begun,
            Some(Job::Waiting(_)) => {
                state.jobs.remove(&key);
                Found::Nothing
            }
            _ => Found::Nothing,
        }
    }

    fn finish(&self, name: &str, text: &Arc<String>) -> Result<Parsed, ParseError> {
        let key = text.as_ptr().addr();
        let mut state = self.lock();
        while let Some(Job::Begun) = state.jobs.get(&key) {
            state = self.wait(state);
        }
        drop(state);
        match self.find(name, text) {
            Found::Parsed(parsed) => parsed,
            Found::Begun | Found::Nothing => self.set.read(name, text),
        }
    }
}

impl State {
    /// Takes a task that waits.
    fn begin(&mut self, key: usize) -> Option<Task> {
        let job = self.jobs.get_mut(&key)?;
        match std::mem::replace(job, Job::Begun) {
            Job::Waiting(task) => Some(task),
            other => {
                *job = other;
                None
            }
        }
    }
}

impl Template {
    fn is(&self, name: &str, text: &Arc<String>) -> bool {
        self.name == name && Arc::ptr_eq(&self.text, text)
    }
}
