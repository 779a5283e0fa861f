//! The builder: plans, saves and publishes, in a thread of its own, so that the control thread never waits.

use std::path::PathBuf;
use std::sync::Arc;

use control::{
    Draft, FlowCount, Job, Numbers, Overrides, PlanError, Publisher, Refusal, affected, blueprint, plan,
};
use counters::Layout;
use flow::FlowReader;

use crate::run::events::Made;
use crate::run::follow::{FOLLOWS_NOTHING, followed, has_ends};
use crate::site::{hex, now_s, refuse_followed, save_numbers};

/// What the thread works with.
pub(crate) struct Builder {
    pub(crate) publisher: Publisher,
    pub(crate) readers: Vec<FlowReader>,
    pub(crate) layout: Layout,
}

impl Builder {
    /// Plans a job; unless it is a dry run, what it says is saved, then its table made. What fails has changed
    /// nothing that is in force.
    pub(crate) fn build(&mut self, job: &Job) -> Result<(Draft, Option<Made>), Refusal> {
        if !has_ends(&job.new) {
            refuse_followed(&job.new, FOLLOWS_NOTHING).map_err(|why| Refusal::Config(why.to_string()))?;
        }
        let numbers =
            job.numbers.assign(&job.new, now_s()).map_err(|why| Refusal::Config(why.to_string()))?;
        let (old, new) = ((&*job.old, &job.numbers), (&*job.new, &numbers));
        let change = plan(Some(old), new).map_err(|why| match why {
            PlanError::Image(fault) => Refusal::Internal(fault.to_string()),
            why => Refusal::Config(why.to_string()),
        })?;
        let mut lines: Vec<String> = change.to_string().lines().map(str::to_owned).collect();
        if !change.is_empty() {
            lines.extend(affected(old, new, &self.count()).iter().map(ToString::to_string));
            lines.extend(self.beyond_the_page(job, &numbers));
        }
        lines.extend(job.notes.iter().cloned());
        let mut draft = Draft { plan: lines, numbers, generation: None };
        if job.dry_run {
            return Ok((draft, None));
        }
        save(job, &draft.numbers)?;
        // What is only said otherwise, such as a drain of what drains already, makes no other table.
        if change.is_empty() && draft.numbers == job.numbers {
            return Ok((draft, None));
        }
        let made = self.publish(job, &draft.numbers).map_err(|why| match unsaid(job) {
            Ok(()) => Refusal::Internal(why),
            Err(unwritten) => Refusal::Internal(format!("{why}; {unwritten}, and holds at the next start")),
        })?;
        draft.generation = Some(made.table.generation());
        Ok((draft, Some(made)))
    }

    fn publish(&mut self, job: &Job, numbers: &Numbers) -> Result<Made, String> {
        let blueprint = blueprint(&job.new, numbers).map_err(|why| why.to_string())?;
        let published = self.publisher.publish(&blueprint).map_err(|why| why.to_string())?;
        let table = published.table().map_err(|why| why.to_string())?;
        let followed = followed(&job.new, numbers);
        Ok(Made { table: Arc::new(table), digest: hex(&published.digest), followed })
    }

    /// The flows of all workers. A few million take a second: that is why it is done here.
    fn count(&self) -> FlowCount {
        let mut count = FlowCount::default();
        for flow in self.readers.iter().flat_map(FlowReader::flows) {
            count.add(flow.value.service().get(), flow.value.real().get());
        }
        count
    }

    /// A sentence for names whose numbers are above those that are counted one by one.
    fn beyond_the_page(&self, job: &Job, numbers: &Numbers) -> Option<String> {
        let services = job.new.services.iter().filter_map(|service| numbers.service(&service.name));
        let reals = job.new.reals.iter().filter_map(|real| numbers.real(&real.name));
        let above = services.filter(|number| number.index() >= self.layout.services).count()
            + reals.filter(|number| number.index() >= self.layout.reals).count();
        (above > 0).then(|| {
            format!(
                "{above} services and reals are forwarded to, but not counted one by one before a restart"
            )
        })
    }
}

/// Words and numbers, on disk before anything is published that uses them.
fn save(job: &Job, numbers: &Numbers) -> Result<(), Refusal> {
    if *numbers != job.numbers {
        save_numbers(&job.new, numbers).map_err(|why| Refusal::Internal(why.to_string()))?;
    }
    let is_new = !job.overrides.is_empty() || overrides_path(&job.new).is_some_and(|path| path.exists());
    if is_new { write(&job.new, &job.overrides).map_err(Refusal::Internal) } else { Ok(()) }
}

/// What was saved is not in force after all: on disk stands again what is.
fn unsaid(job: &Job) -> Result<(), String> {
    if job.said == job.overrides { Ok(()) } else { write(&job.new, &job.said) }
}

/// Words, on disk.
pub(crate) fn write(config: &conf::Config, words: &Overrides) -> Result<(), String> {
    let Some(path) = overrides_path(config) else { return Ok(()) };
    words
        .save(&path)
        .map_err(|error| format!("{}: the operators' words cannot be written: {error}", path.display()))
}

/// Where operators' words are kept, if numbers are.
pub(crate) fn overrides_path(config: &conf::Config) -> Option<PathBuf> {
    config.node.numbers.as_deref().map(Overrides::path_beside)
}
