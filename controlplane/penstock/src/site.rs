//! From a configuration file to a published table, and back from numbers to names.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use conf::Config;
use control::{Numbers, Publication, Publisher, blueprint};
use service::{RealNumber, ServiceNumber};

use crate::failure::Failure;

/// A configuration with its numbers.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) config: Config,
    pub(crate) numbers: Numbers,
}

impl Site {
    /// Reads a configuration, and its numbers file if it names one. Nothing is written.
    pub(crate) fn load(path: &Path) -> Result<Self, Failure> {
        Self::of(conf::load(path)?)
    }

    /// Of a configuration that was read, with the numbers file it names. Nothing is written.
    pub(crate) fn of(config: Config) -> Result<Self, Failure> {
        let known = match &config.node.numbers {
            Some(file) => Numbers::load(file)?,
            None => Numbers::default(),
        };
        let numbers = known.assign(&config, now_s())?;
        Ok(Self { config, numbers })
    }

    /// Reads two configurations, of which the second follows the first and keeps its numbers.
    pub(crate) fn load_both(old: &Path, new: &Path) -> Result<(Self, Self), Failure> {
        // The faults of the new one are told first: it is the one in question.
        let config = conf::load(new)?;
        let old = Self::load(old)?;
        let numbers = old.numbers.assign(&config, now_s())?;
        Ok((old, Self { config, numbers }))
    }

    /// Writes the numbers file, if the configuration names one.
    #[cfg(feature = "dpdk")]
    pub(crate) fn save_numbers(&self) -> Result<(), Failure> {
        save_numbers(&self.config, &self.numbers)
    }

    /// Publishes the first generation.
    pub(crate) fn publish(&self, boot: u64) -> Result<Publication, Failure> {
        Ok(Publisher::new(boot).publish(&blueprint(&self.config, &self.numbers)?)?)
    }

    /// Who has which number.
    pub(crate) fn directory(&self) -> Directory {
        let mut directory = Directory::default();
        for (place, service) in self.config.services.iter().enumerate() {
            if let Some(number) = self.numbers.service(&service.name) {
                put(&mut directory.services, number.index(), place);
            }
        }
        for (place, real) in self.config.reals.iter().enumerate() {
            if let Some(number) = self.numbers.real(&real.name) {
                put(&mut directory.reals, number.index(), place);
            }
        }
        let numbers = self.config.rules.iter().filter_map(|rule| self.numbers.rule(&rule.name));
        directory.rules = numbers.map(|number| number.index() + 1).max().unwrap_or(0);
        directory
    }
}

/// Writes the numbers file, if the configuration names one.
#[cfg(feature = "dpdk")]
pub(crate) fn save_numbers(config: &Config, numbers: &Numbers) -> Result<(), Failure> {
    let Some(file) = &config.node.numbers else { return Ok(()) };
    numbers
        .save(file)
        .map_err(|error| Failure::new(format!("{}: the numbers cannot be written: {error}", file.display())))
}

/// Places in the configuration's lists, by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Directory {
    services: Vec<Option<usize>>,
    reals: Vec<Option<usize>>,
    /// One more than the highest number of a rule.
    rules: usize,
}

impl Directory {
    /// The service of that number.
    pub(crate) fn service<'c>(&self, config: &'c Config, number: ServiceNumber) -> Option<&'c conf::Service> {
        config.services.get((*self.services.get(number.index())?)?)
    }

    /// The real of that number.
    pub(crate) fn real<'c>(&self, config: &'c Config, number: RealNumber) -> Option<&'c conf::Real> {
        config.reals.get((*self.reals.get(number.index())?)?)
    }

    /// One more than the highest number of a service, of a real, and of a rule.
    pub(crate) fn bounds(&self) -> (usize, usize, usize) {
        (self.services.len(), self.reals.len(), self.rules)
    }
}

fn put(list: &mut Vec<Option<usize>>, number: usize, place: usize) {
    if list.len() <= number {
        list.resize(number + 1, None);
    }
    if let Some(slot) = list.get_mut(number) {
        *slot = Some(place);
    }
}

/// Refuses reals whose next hop nobody has written.
pub(crate) fn refuse_followed(config: &Config, why: &str) -> Result<(), Failure> {
    let Some(real) = config.reals.iter().find(|real| real.is_followed()) else { return Ok(()) };
    Err(Failure::new(format!(
        "the real \"{}\" has no next_hop, and {why}: write next_hop = \"02:00:00:00:00:fe\", with the MAC address of \
         the way to it, in its table or once for all in [tunnel]",
        real.name
    )))
}

/// Seconds since 1970.
pub(crate) fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
