//! Prints the steps of the story, for people as they happen, for programs at the end.

use std::time::Duration;

use serde_json::{Value, json};

use crate::Io;
use crate::output::{Shape, print_value};
use crate::run::Result;

/// One thing that happened.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// What happened, as a sentence.
    pub(super) title: &'static str,
    /// Why it matters, as a sentence.
    pub(super) why: &'static str,
    /// What was seen: a word for it, and the fact.
    pub(super) facts: Vec<(&'static str, String)>,
    /// How long it took.
    pub(super) took: Duration,
}

/// Prints steps.
#[derive(Debug)]
pub(super) struct Narrator {
    shape: Shape,
    steps: Vec<Step>,
}

impl Narrator {
    pub(super) fn new(shape: Shape) -> Self {
        Self {
            shape,
            steps: Vec::new(),
        }
    }

    /// Tells of a step.
    pub(super) fn tell(&mut self, io: &mut Io, step: Step) -> Result<()> {
        self.steps.push(step.clone());
        if self.shape != Shape::Text {
            return Ok(());
        }
        io.line(&format!(
            "{:>2}. {}  ({:.2} s)",
            self.steps.len(),
            step.title,
            step.took.as_secs_f32()
        ))?;
        io.line(&format!("    {}", step.why))?;
        for (word, fact) in &step.facts {
            let mut lines = fact.lines();
            io.line(&format!("      {word:<10} {}", lines.next().unwrap_or_default()))?;
            for line in lines {
                io.line(&format!("      {:<10} {line}", ""))?;
            }
        }
        io.line("")?;
        io.flush()
    }

    /// Prints what only the whole story can.
    pub(super) fn finish(&self, io: &mut Io) -> Result<()> {
        if self.shape == Shape::Text {
            return Ok(());
        }
        let steps: Vec<Value> = self
            .steps
            .iter()
            .map(|step| {
                // A fact may come several times, so they are a list.
                let facts: Vec<Value> =
                    step.facts.iter().map(|(word, fact)| json!({"what": word, "value": fact})).collect();
                json!({"title": step.title, "why": step.why, "facts": facts, "seconds": step.took.as_secs_f64()})
            })
            .collect();
        print_value(io, &json!({"steps": steps}), self.shape == Shape::Yaml)
    }
}
