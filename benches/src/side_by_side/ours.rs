//! Our own binaries, which stand beside this one: run to their end, within a time.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::setting::Setting;
use crate::testpmd::Run;

/// For one measurement on the port.
const PORT_PATIENCE: Duration = Duration::from_secs(60);
/// For one that fills a table of ten million flows, and all that follows.
const LONG_PATIENCE: Duration = Duration::from_secs(300);

/// A child that does not outlive us.
struct Bounded(Child);

impl Drop for Bounded {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a program of ours prints.
fn output(name: &str, arguments: &[String], patience: Duration) -> Result<String, String> {
    let fail = |what: &dyn std::fmt::Display| format!("{name}: {what}");
    let here = std::env::current_exe().map_err(|error| fail(&error))?;
    let mut command = Command::new(here.with_file_name(name));
    let child = command.args(arguments).stdout(Stdio::piped()).spawn().map_err(|error| fail(&error))?;
    let mut child = Bounded(child);
    let mut pipe = child.0.stdout.take().ok_or_else(|| fail(&"no output"))?;
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).map(|_| text)
    });
    let deadline = Instant::now() + patience;
    loop {
        match child.0.try_wait().map_err(|error| fail(&error))? {
            Some(status) if status.success() => break,
            Some(status) => return Err(fail(&status)),
            None if Instant::now() > deadline => return Err(fail(&"did not end in time")),
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    }
    match reader.join() {
        Ok(Ok(text)) => Ok(text),
        _ => Err(fail(&"its output could not be read")),
    }
}

/// The whole path on net_pcap, or what `further` options make of it.
pub(crate) fn on_port(
    setting: &Setting,
    capture: &Path,
    packets: u64,
    further: &[&str],
) -> Result<Run, String> {
    let mut arguments = setting.our_arguments();
    arguments.extend(["--capture".to_owned(), capture.display().to_string()]);
    arguments.extend(["--packets".to_owned(), packets.to_string()]);
    arguments.extend(further.iter().map(|&option| option.to_owned()));
    let text = output("pcap-path", &arguments, PORT_PATIENCE)?;
    let line: Value = serde_json::from_str(&text).map_err(|error| format!("pcap-path: {error}: {text}"))?;
    let number = |name: &str| line.get(name).and_then(Value::as_u64);
    match (number("packets"), number("cpu_ns"), line.get("memory").and_then(Value::as_str)) {
        (Some(packets), Some(cpu_nanos), Some(memory)) if memory == setting.memory() => {
            Ok(Run { packets, cpu_nanos })
        }
        _ => Err(format!("pcap-path did not measure what was asked for: {text}")),
    }
}

/// A program that prints its own table and writes its figures to a file.
pub(crate) fn with_file(name: &str, first: &[&str], folder: &Path) -> Result<Value, String> {
    let file = folder.join(format!("{name}.json"));
    let mut arguments: Vec<String> = first.iter().map(|&text| text.to_owned()).collect();
    arguments.extend(["--json".to_owned(), file.display().to_string()]);
    print!("{}", output(name, &arguments, LONG_PATIENCE)?);
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{name}: {error}"))?;
    serde_json::from_str(&text).map_err(|error| format!("{name}: {error}"))
}
