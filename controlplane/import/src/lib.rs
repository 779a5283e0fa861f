//! What another balancer was told, as a Penstock configuration: IPVS, keepalived, Katran, GLB director.
//!
//! Three steps, as in `conf`. A parser of each format reads the text and hands what it finds to a
//! `Draft`, which knows what Penstock can say; the draft is then written as TOML. What has no counterpart
//! is not dropped in silence: a comment `# no counterpart: …` stands where it would be. What the old file
//! cannot know, the tunnel's source first of all, is a documented example under a comment `# FILL IN: …`.
//!
//! Architecture invariants: pure, no file is opened here. Parsing is total: any text gives a configuration
//! that `conf` accepts, or a [`Fault`] with its place and the remedy. The same text gives the same bytes.

#![forbid(unsafe_code)]

mod address;
mod draft;
mod fault;
mod glb;
mod ipvs;
mod json;
mod katran;
mod keepalived;
pub mod limits;
mod tunnel;
mod write;

use draft::Draft;
pub use fault::{Fault, Place};
use limits::INPUT_BYTES_MAX;

/// A configuration, and how much of it needs a person's eye.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The configuration, which `conf` accepts.
    pub toml: String,
    /// Services in it.
    pub services: usize,
    /// Reals in it.
    pub reals: usize,
    /// Comments that begin with `no counterpart`.
    pub without_counterpart: usize,
    /// Comments that begin with `FILL IN`.
    pub to_fill_in: usize,
}

/// What is imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// What `ipvsadm -Sn` prints: the rules of the kernel's IPVS.
    Ipvs,
    /// The virtual servers of a `keepalived.conf`.
    Keepalived,
    /// VIPs and reals of Katran as JSON. Katran itself keeps no file: the shape is that of the messages in
    /// `example_grpc/protos/katran.proto` of its repository, which its example clients send.
    Katran,
    /// GLB director's forwarding table as JSON, as its `docs/setup/forwarding-table-config.md` describes.
    Glb,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ipvs, Self::Keepalived, Self::Katran, Self::Glb];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ipvs => "ipvs",
            Self::Keepalived => "keepalived",
            Self::Katran => "katran",
            Self::Glb => "glb",
        }
    }
}

/// The configuration that says what `text` says.
///
/// # Errors
/// Text that is not of this format, that names no service Penstock can offer, or that is past a limit
/// (see [`limits`]); also an address, port, weight or protocol that cannot be read.
pub fn import(format: Format, text: &str) -> Result<Imported, Fault> {
    imported(format, text, None)
}

/// What finds the files of a keepalived.conf's `include`: given the file that includes (empty for the text
/// itself) and the pattern as written, it gives names and texts, or why it cannot.
pub type Includes<'f> = dyn FnMut(&str, &str) -> Result<Vec<(String, String)>, String> + 'f;

/// As [`import`], and what the text includes is read too; only keepalived knows that.
///
/// # Errors
/// As [`import`]; also a file that cannot be included, or too many of them.
pub fn import_all(format: Format, text: &str, includes: &mut Includes<'_>) -> Result<Imported, Fault> {
    imported(format, text, Some(includes))
}

fn imported(format: Format, text: &str, includes: Option<&mut Includes<'_>>) -> Result<Imported, Fault> {
    if text.len() > INPUT_BYTES_MAX {
        let what = format!("the text is longer than {INPUT_BYTES_MAX} bytes");
        return Err(Fault::whole(what, "Split it by VIPs and import each part."));
    }
    let mut draft = Draft::new(format);
    match format {
        Format::Ipvs => ipvs::read(text, &mut draft)?,
        Format::Keepalived => keepalived::read(text, &mut draft, includes)?,
        Format::Katran => katran::read(text, &mut draft)?,
        Format::Glb => glb::read(text, &mut draft)?,
    }
    write::toml(draft)
}
