//! How the program fails: with words for a person and a status for a script.

use std::fmt;
use std::io::Write;
use std::process::ExitCode;

/// The status when a signal ended the work: 128 and SIGINT, as shells count.
const INTERRUPTED: u8 = 130;

/// Why the program ends without having done what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// One sentence without the program's name; the faults of a configuration are one a line.
    text: String,
    status: u8,
    /// Whether each line already begins with the name of a file.
    is_list: bool,
}

impl Failure {
    /// Status 1 and one sentence.
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self { text: sentence.into(), status: 1, is_list: false }
    }

    /// Status 1 and lines of which each begins with the name of a file.
    pub(crate) fn lines(text: String) -> Self {
        Self { text, status: 1, is_list: true }
    }

    /// A signal came.
    pub(crate) fn interrupted(sentence: &str) -> Self {
        Self { text: sentence.to_owned(), status: INTERRUPTED, is_list: false }
    }

    /// Tells it, and gives the status.
    pub(crate) fn tell(&self) -> ExitCode {
        // Nobody is left to tell that stderr is closed.
        let _ = writeln!(std::io::stderr(), "{self}");
        ExitCode::from(self.status)
    }

    /// The same as an entry of the log, for who reads nothing else.
    pub(crate) fn log(&self) -> ExitCode {
        for line in self.text.lines() {
            tracing::error!(status = self.status, "{line}");
        }
        ExitCode::from(self.status)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_list { f.write_str(&self.text) } else { write!(f, "penstock: {}", self.text) }
    }
}

impl From<conf::Faults> for Failure {
    fn from(faults: conf::Faults) -> Self {
        Self { text: faults.to_string(), status: 1, is_list: true }
    }
}

/// Errors whose own words are the sentence.
macro_rules! sentence {
    ($($error:ty),+ $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::new(error.to_string())
            }
        })+
    };
}

sentence! {
    capture::CaptureError,
    capture::WriteError,
    control::Exhausted,
    control::NoNumber,
    control::PlanError,
    control::PublishError,
    filter::Refused,
    service::BuildError,
}

#[cfg(feature = "dpdk")]
sentence! { dpdk::EalError, dpdk::EthError, dpdk::PoolError, dpdk::LcoreError }

#[cfg(feature = "pcap")]
sentence! { pcap::NotAFilter }

#[cfg(test)]
mod tests {
    use super::Failure;

    #[test]
    fn a_sentence_names_the_program_and_faults_name_their_file() {
        assert_eq!(Failure::new("it broke").to_string(), "penstock: it broke");
        let faults = conf::parse("site.toml", "").unwrap_err();
        assert!(Failure::from(faults).to_string().starts_with("site.toml:"));
    }
}
