//! How responses go, said when the box starts and when that changes. What the kernel lacks for it is told with the
//! command that mends it, and never set: its settings are the operator's.

use conf::Config;
use doctor::{Root, Severity, return_path};

/// Says it.
pub(crate) fn tell(config: &Config) {
    if !config.node.is_gateway() {
        tracing::info!("responses go past us (return_path = \"direct\")");
        return;
    }
    tracing::info!("responses come back through us: the kernel forwards them (return_path = \"via-slr\")");
    for finding in return_path(&Root::new("/"), config) {
        if finding.severity != Severity::Fine {
            tracing::warn!("{}. {} This mends it: {}", finding.what, finding.why, finding.mend.join("; "));
        }
    }
}
