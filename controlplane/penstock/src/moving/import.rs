//! `penstock import`: another balancer's configuration as a Penstock configuration.

use std::fs::File;
use std::io::{Read, Write, stdin};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use import::limits::INPUT_BYTES_MAX;
use import::{Format, Imported, import as imported};

use crate::failure::Failure;
use crate::output::{Output, print};

/// Options of `import`.
#[derive(Debug, Args)]
pub(crate) struct ImportOptions {
    /// What FILE is.
    #[arg(value_enum, value_name = "FORMAT")]
    pub(crate) from: ImportFormat,
    /// The file to read, `-` for stdin.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Where to write the configuration [default: stdout].
    #[arg(long, value_name = "TOML")]
    pub(crate) out: Option<PathBuf>,
}

/// What `import` reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportFormat {
    /// What `ipvsadm -Sn` prints.
    Ipvs,
    /// A keepalived.conf: its virtual servers. An `include` is not followed.
    Keepalived,
    /// Katran's VIPs and reals as JSON. Katran keeps no file; taken is the JSON of the messages in
    /// example_grpc/protos/katran.proto of its repository:
    /// {"mac": …, "vips": [{"address", "port", "protocol", "flags", "reals": [{"address", "weight"}]}]}.
    Katran,
    /// GLB director's forwarding table, the JSON with "tables", "binds" and "backends".
    Glb,
}

/// Writes the configuration, and says on stderr how much of it wants a person's eye.
pub(crate) fn import(options: &ImportOptions) -> Result<(), Failure> {
    let name = options.file.display().to_string();
    // An output that cannot be written is told before the work.
    let output = options.out.as_deref().map(Output::create).transpose()?;
    let text = read(&options.file).map_err(|why| Failure::new(format!("{name}: {why}")))?;
    let imported = imported(options.from.into(), &text).map_err(|fault| {
        Failure::new(format!("{name}:{}{fault}", if fault.has_place() { "" } else { " " }))
    })?;
    match output {
        Some(mut output) => {
            output.put(imported.toml.as_bytes())?;
            output.finish()?;
        }
        None => print(&imported.toml)?,
    }
    // Nobody is left to tell that stderr is closed.
    let _ = writeln!(std::io::stderr(), "{}", summary(&imported));
    Ok(())
}

fn summary(imported: &Imported) -> String {
    format!(
        "services: {}, reals: {}; comments to go through: {} \"no counterpart\", {} \"FILL IN\"",
        imported.services, imported.reals, imported.without_counterpart, imported.to_fill_in
    )
}

/// The text of the file, or of stdin for `-`; a little more than is taken, so that too much is told as such.
fn read(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let most = INPUT_BYTES_MAX as u64 + 1;
    let read = if path.as_os_str() == "-" {
        stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes))
    };
    read.map_err(|error| format!("the file cannot be read: {error}. Check the path and its permissions."))?;
    if bytes.len() > INPUT_BYTES_MAX {
        return Err(format!(
            "the file is longer than {INPUT_BYTES_MAX} bytes. Split it by VIPs and import each part."
        ));
    }
    String::from_utf8(bytes).map_err(|_| "the file is not UTF-8. Give the text itself.".to_owned())
}

impl From<ImportFormat> for Format {
    fn from(format: ImportFormat) -> Self {
        match format {
            ImportFormat::Ipvs => Self::Ipvs,
            ImportFormat::Keepalived => Self::Keepalived,
            ImportFormat::Katran => Self::Katran,
            ImportFormat::Glb => Self::Glb,
        }
    }
}
