//! The page's only style sheet.

/// Colours are named by what they mean; dark mode changes the names' values and nothing else.
pub(super) const STYLE: &str = r#"
:root { color-scheme: light dark;
  --ground: #f4f5f6; --panel: #ffffff; --ink: #1a2127; --muted: #5a6570; --line: #dde2e6; --track: #edf0f2;
  --forwarded: #1d6f8c; --punted: #9a7b16; --dropped: #b0472b; --mark: #1a2127; --good: #2c7a4b; }
@media (prefers-color-scheme: dark) { :root {
  --ground: #11161a; --panel: #191f25; --ink: #e3e8eb; --muted: #98a4ae; --line: #2b343c; --track: #222a31;
  --forwarded: #58b0cf; --punted: #d3b552; --dropped: #e3896a; --mark: #e3e8eb; --good: #6cc08f; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI",
  Roboto, "Helvetica Neue", "Liberation Sans", sans-serif; font-variant-numeric: tabular-nums; }
main { max-width: 66rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1, h2, h3, p, dl, dd { margin: 0; }
h1 { font-size: 1.7rem; line-height: 1.25; font-weight: 650; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; font-weight: 650; }
h3 { font-size: 1rem; font-weight: 600; overflow-wrap: anywhere; }
h3 span, .muted, small, figcaption, .note { color: var(--muted); font-weight: 400; }
.brand { color: var(--muted); font-size: .8rem; letter-spacing: .08em; text-transform: uppercase; margin-bottom: .35rem; }
.lead { margin-top: .5rem; max-width: 48rem; color: var(--muted); overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.6rem, 1fr)); gap: 1px; margin: 1.5rem 0;
  background: var(--line); border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
.tile { background: var(--panel); padding: .8rem 1rem .9rem; }
.tile dt { color: var(--muted); font-size: .8rem; }
.tile dd { font-size: 1.45rem; line-height: 1.3; font-weight: 600; white-space: nowrap; }
.tile dd + dd { font-size: .82rem; font-weight: 400; color: var(--muted); white-space: normal; }
.tile dd em { font-style: normal; font-size: .85rem; font-weight: 400; color: var(--muted); }
.tile.bad dd:first-of-type { color: var(--dropped); }
section { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 1.2rem 1.25rem 1.3rem;
  margin-top: 1.1rem; }
section > h2 + .note { margin-top: .1rem; }
.note { font-size: .88rem; max-width: 52rem; overflow-wrap: anywhere; }
.note + .note, .scroll + .note, details + .note { margin-top: .7rem; }
.service + .service { margin-top: 1.6rem; padding-top: 1.4rem; border-top: 1px solid var(--line); }
.service { margin-top: 1rem; }
.alarm { margin-top: 1rem; padding: .7rem 1rem; border: 1px solid var(--dropped); border-left-width: 5px;
  border-radius: 6px; background: var(--panel); overflow-wrap: anywhere; }
.alarm ul { margin: .3rem 0 0; padding-left: 1.1rem; color: var(--muted); font-size: .88rem; }
figure { margin: 1rem 0 0; }
figcaption { font-size: .82rem; margin-top: .5rem; display: flex; flex-wrap: wrap; gap: .1rem 1.2rem; }
.key { display: inline-block; width: .75em; height: .75em; border-radius: 2px; margin-right: .4em; vertical-align: -.04em; }
.key.forwarded { background: var(--forwarded); } .key.punted { background: var(--punted); }
.key.dropped { background: var(--dropped); } .key.received { background: var(--muted); opacity: .5; } .key.mark { width: 2px; height: 1em; background: var(--mark); border-radius: 0; }
.row { display: grid; grid-template-columns: minmax(0, 14rem) minmax(0, 1fr) 12.5rem; gap: 0 1rem; align-items: center;
  padding: .16rem 0; }
.row .label { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.row .value { text-align: right; white-space: nowrap; }
.row .value small { display: inline-block; min-width: 6.6rem; font-size: .85em; }
svg { display: block; width: 100%; height: auto; overflow: visible; }
svg.bar { height: 14px; } svg.stack { height: 26px; border-radius: 4px; overflow: hidden; }
.track { fill: var(--track); } .fill.forwarded { fill: var(--forwarded); } .fill.punted { fill: var(--punted); }
.fill.dropped { fill: var(--dropped); }
.bar .mark { stroke: var(--mark); stroke-width: 2; vector-effect: non-scaling-stroke; }
svg text { font-size: 12px; fill: var(--muted); font-family: inherit; }
svg text.strong { fill: var(--ink); font-weight: 600; paint-order: stroke; stroke: var(--panel); stroke-width: 4px; stroke-linejoin: round; }
.grid { stroke: var(--line); stroke-width: 1; } .axis { stroke: var(--muted); stroke-width: 1; }
.due { stroke: var(--ink); stroke-width: 1.2; stroke-dasharray: 5 4; } .quantile { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 3 3; }
.area { fill: var(--muted); fill-opacity: .14; } .edge { fill: none; stroke: var(--muted); stroke-width: 1; } .stroke { fill: none; stroke: var(--forwarded); stroke-width: 1.6; stroke-linejoin: round; }
.narrow { display: none; }
.scroll { overflow-x: auto; margin-top: .9rem; }
details { margin-top: .9rem; } details .scroll { margin-top: .4rem; } summary { cursor: pointer; color: var(--muted); font-size: .88rem; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; }
th, td { text-align: left; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr > :last-child { padding-right: 0; }
tbody tr:last-child td { border-bottom: 0; }
th { font-weight: 500; color: var(--muted); white-space: nowrap; }
td.wide { min-width: 11rem; overflow-wrap: anywhere; } td.number, th.number { text-align: right; white-space: nowrap; }
.facts { display: grid; grid-template-columns: 11rem minmax(0, 1fr); gap: .25rem 1rem; margin-top: .8rem; font-size: .92rem; }
.facts dt { color: var(--muted); } .facts dd { overflow-wrap: anywhere; }
code { font: .92em ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; }
@media (max-width: 40rem) {
  main { padding: 1.2rem .8rem 3rem; } section { padding: 1rem .9rem; } h1 { font-size: 1.35rem; }
  .tiles { grid-template-columns: 1fr 1fr; } .tile { padding: .65rem .8rem .7rem; } .tile dd { font-size: 1.2rem; }
  .wide-only { display: none; } .narrow { display: block; }
  .row { grid-template-columns: minmax(0, 1fr) auto; padding: .3rem 0; } .row svg { grid-column: 1 / -1; grid-row: 2; }
  .row .value small { min-width: 0; margin-left: .6rem; }
  td.wide { min-width: 8.5rem; } table { font-size: .82rem; } th, td { padding-right: .65rem; }
  .facts { grid-template-columns: 1fr; gap: 0; } .facts dd { margin-bottom: .5rem; }
}
@media print { body { background: none; } section, .tiles { break-inside: avoid; } }
"#;
