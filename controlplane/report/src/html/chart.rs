//! Charts with axes, as SVG. Each is drawn twice, for a wide and for a narrow page, so that its text
//! keeps its size on a phone; the style sheet shows one of the two.

use super::escape;
use crate::latency::Bucket;
use crate::number::{nanos, si};

/// The outer size of a chart, and the room around the plot for its text.
#[derive(Clone, Copy, Debug)]
struct Frame {
    class: &'static str,
    width: f64,
    height: f64,
    left: f64,
    /// The most labels of the horizontal axis.
    ticks: usize,
    /// The most columns or steps that are drawn.
    steps: usize,
}

const WIDE: Frame =
    Frame { class: "wide-only", width: 960.0, height: 300.0, left: 58.0, ticks: 12, steps: 240 };
const NARROW: Frame = Frame { class: "narrow", width: 350.0, height: 250.0, left: 46.0, ticks: 5, steps: 90 };

const TOP: f64 = 26.0;
const BOTTOM: f64 = 44.0;
const RIGHT: f64 = 8.0;

impl Frame {
    /// A place from 0 to 1 along the horizontal axis.
    fn x(&self, part: f64) -> f64 {
        self.left + part.clamp(0.0, 1.0) * (self.width - self.left - RIGHT)
    }

    /// A place from 0 to 1 up the vertical axis.
    fn y(&self, part: f64) -> f64 {
        self.height - BOTTOM - part.clamp(0.0, 1.0) * (self.height - BOTTOM - TOP)
    }

    /// The finished picture around what was plotted.
    fn svg(&self, description: &str, body: &str) -> String {
        let Self { class, width, height, .. } = self;
        format!(
            "<svg class=\"{class}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\">\n{body}</svg>\n",
            escape(description)
        )
    }

    /// Both titles, the horizontal lines with their values, and the base line.
    fn axes(&self, x_title: &str, y_title: &str, y_max: f64, y_text: impl Fn(f64) -> String) -> String {
        let (left, right, base) = (self.x(0.0), self.x(1.0), self.y(0.0));
        let mut out = String::new();
        for value in linear_ticks(y_max, 5) {
            let y = self.y(value / y_max);
            out.push_str(&format!(
                "<line class=\"grid\" x1=\"{left}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
                left - 8.0,
                y + 4.0,
                escape(&y_text(value))
            ));
        }
        out.push_str(&format!(
            "<line class=\"axis\" x1=\"{left}\" x2=\"{right}\" y1=\"{base:.1}\" y2=\"{base:.1}\"/>\
             <text x=\"0\" y=\"12\">{}</text><text x=\"{right}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
            escape(y_title),
            self.height - 6.0,
            escape(x_title)
        ));
        out
    }

    /// One value under the horizontal axis.
    fn x_tick(&self, part: f64, text: &str) -> String {
        let (x, base) = (self.x(part), self.y(0.0));
        format!(
            "<line class=\"axis\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{base:.1}\" y2=\"{:.1}\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n",
            base + 4.0,
            base + 18.0,
            escape(text)
        )
    }
}

fn both(draw: impl Fn(&Frame) -> String) -> String {
    draw(&WIDE) + &draw(&NARROW)
}

/// How many packets took how long, on a logarithmic axis, with quantiles by name.
pub(super) fn histogram(buckets: &[Bucket], quantiles: &[(&str, f64)]) -> String {
    let (Some(first), Some(last)) = (buckets.first(), buckets.last()) else { return String::new() };
    let named = || quantiles.iter().map(|(_, ns)| *ns).filter(|ns| *ns > 0.0);
    let (low, high) = (named().fold(first.from_ns, f64::min), named().fold(last.to_ns, f64::max));
    // At least a decade, so that one bucket still has an axis that says something.
    let stretch = (10.0 / (high / low)).sqrt().max(1.06);
    let (low, high) = (low / stretch, high * stretch);
    let total: u64 = buckets.iter().map(|bucket| bucket.packets).sum();
    let share = |bucket: &Bucket| bucket.packets as f64 / total.max(1) as f64 * 100.0;
    let y_max = buckets.iter().map(share).fold(0.0, f64::max).max(1e-9) * 1.08;
    let part = |ns: f64| (ns.max(low) / low).ln() / (high / low).ln();
    both(|frame| {
        let mut out =
            frame.axes("time per packet", "share of packets", y_max, |value| format!("{} %", si(value)));
        for bucket in buckets.iter().filter(|bucket| bucket.packets > 0) {
            let (x0, x1) = (frame.x(part(bucket.from_ns)), frame.x(part(bucket.to_ns)));
            let height = (frame.y(0.0) - frame.y(share(bucket) / y_max)).max(1.0);
            out.push_str(&format!(
                "<rect class=\"fill forwarded\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\">\
                 <title>{} to {}: {:.3} % of packets</title></rect>\n",
                x0 + 0.5,
                frame.y(0.0) - height,
                (x1 - x0 - 1.0).max(0.6),
                nanos(bucket.from_ns),
                nanos(bucket.to_ns),
                share(bucket)
            ));
        }
        for ns in log_ticks(low, high, frame.ticks) {
            out.push_str(&frame.x_tick(part(ns), &axis_nanos(ns)));
        }
        for (line, (name, ns)) in (0_u8..).zip(quantiles) {
            out.push_str(&quantile(frame, part(*ns), line, &format!("{name} {}", nanos(*ns))));
        }
        frame.svg("Distribution of the time per packet, logarithmic", &out)
    })
}

/// A vertical line with its name; each name stands on a line of its own, so that none hides another.
fn quantile(frame: &Frame, part: f64, line: u8, text: &str) -> String {
    let x = frame.x(part);
    let y = TOP + 10.0 + 17.0 * f64::from(line);
    let (anchor, at) = if part > 0.6 { ("end", x - 6.0) } else { ("start", x + 6.0) };
    format!(
        "<line class=\"quantile\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/>\
         <text class=\"strong\" x=\"{at:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>\n",
        TOP,
        frame.y(0.0),
        escape(text)
    )
}

/// Packets per second over time: what was received as an area, what was forwarded as a line.
pub(super) fn rate(step_seconds: f64, received: &[u64], forwarded: &[u64], clock: &str) -> String {
    let span = received.len() as f64 * step_seconds;
    both(|frame| {
        let (one, two) =
            (means(received, frame.steps, step_seconds), means(forwarded, frame.steps, step_seconds));
        let y_max = one.iter().chain(&two).copied().fold(0.0, f64::max).max(1e-9) * 1.08;
        let mut out = frame.axes(clock, "packets per second", y_max, si);
        let path = steps(frame, &one, y_max);
        let (x0, x1, base) = (frame.x(0.0), frame.x(1.0), frame.y(0.0));
        out.push_str(&format!("<path class=\"area\" d=\"M{x0:.1} {base:.1}{path}L{x1:.1} {base:.1}Z\"/>\n"));
        let edge = if two.is_empty() { "stroke" } else { "edge" };
        out.push_str(&format!("<path class=\"{edge}\" d=\"M{}\"/>\n", path.trim_start_matches('L')));
        if !two.is_empty() {
            let path = steps(frame, &two, y_max);
            out.push_str(&format!("<path class=\"stroke\" d=\"M{}\"/>\n", path.trim_start_matches('L')));
        }
        for value in linear_ticks(span, frame.ticks) {
            out.push_str(&frame.x_tick(value / span, &axis_nanos(value * 1e9)));
        }
        frame.svg("Packets per second over time", &out)
    })
}

/// A staircase from the left edge to the right.
fn steps(frame: &Frame, values: &[f64], y_max: f64) -> String {
    let mut out = String::new();
    for (index, value) in values.iter().enumerate() {
        let edge = |index: usize| frame.x(index as f64 / values.len() as f64);
        let y = frame.y(value / y_max);
        out.push_str(&format!("L{:.1} {y:.1}L{:.1} {y:.1}", edge(index), edge(index + 1)));
    }
    out
}

/// Counts per step as rates, neighbours averaged until there are at most `most`.
fn means(counts: &[u64], most: usize, step_seconds: f64) -> Vec<f64> {
    let per = counts.len().div_ceil(most).max(1);
    counts
        .chunks(per)
        .map(|chunk| chunk.iter().sum::<u64>() as f64 / (chunk.len() as f64 * step_seconds))
        .collect()
}

/// Each real's load relative to its due as a column, in their order; where there are more reals than
/// columns, a column spans from the least to the most of its reals.
pub(super) fn strip(loads: &[f64]) -> String {
    let y_max = loads.iter().copied().fold(1.0, f64::max) * 1.12;
    both(|frame| {
        let mut out = frame.axes("reals, by number", "packets, relative to weight", y_max, |value| {
            format!("{}×", si(value))
        });
        let per = loads.len().div_ceil(frame.steps).max(1);
        let columns = loads.len().div_ceil(per).max(1);
        for (index, chunk) in loads.chunks(per).enumerate() {
            let (x0, x1) =
                (frame.x(index as f64 / columns as f64), frame.x((index + 1) as f64 / columns as f64));
            let (least, most) = chunk.iter().fold((f64::MAX, 0.0_f64), |(l, m), &x| (l.min(x), m.max(x)));
            let top = frame.y(most / y_max);
            // A span is drawn at least a line thick; a single real from the base line.
            let bottom = if per == 1 { frame.y(0.0) } else { frame.y(least / y_max).max(top + 1.5) };
            let gap = if x1 - x0 > 3.0 { 1.0 } else { 0.2 };
            out.push_str(&format!(
                "<rect class=\"fill forwarded\" x=\"{:.2}\" y=\"{top:.1}\" width=\"{:.2}\" height=\"{:.1}\"/>\n",
                x0 + gap / 2.0,
                x1 - x0 - gap,
                bottom - top
            ));
        }
        let (x0, x1, y) = (frame.x(0.0), frame.x(1.0), frame.y(1.0 / y_max));
        out.push_str(&format!(
            "<line class=\"due\" x1=\"{x0:.1}\" x2=\"{x1:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\n"
        ));
        frame.svg("Packets per real, relative to its weight", &out)
    })
}

/// Round values from 0 to at most `max`, at most about `most` of them: steps of 1, 2 or 5 times a power of ten.
fn linear_ticks(max: f64, most: usize) -> Vec<f64> {
    if !(max.is_finite() && max > 0.0) {
        return vec![0.0];
    }
    let raw = max / most as f64;
    let power = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|by| by * power).find(|step| *step >= raw * 0.999);
    let step = step.unwrap_or(max);
    (0..=most).map(|index| index as f64 * step).take_while(|value| *value <= max * 1.0001).collect()
}

/// Round values between two bounds of a logarithmic axis: as fine as `most` allows.
fn log_ticks(low: f64, high: f64, most: usize) -> Vec<f64> {
    let within = |digits: &[f64]| {
        let decades = (-3..10).map(|power| 10_f64.powi(power));
        let values = decades.flat_map(|decade| digits.iter().map(move |digit| digit * decade));
        values.filter(|value| (low * 0.999..=high * 1.001).contains(value)).collect::<Vec<_>>()
    };
    let fine = within(&[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0]);
    let middle = within(&[1.0, 2.0, 5.0]);
    [fine, middle].into_iter().find(|ticks| ticks.len() <= most).unwrap_or_else(|| within(&[1.0]))
}

/// `20 ns`, `1 µs`: a round value without decimals.
fn axis_nanos(ns: f64) -> String {
    if ns <= 0.0 {
        return "0".into();
    }
    let (size, unit) = [(1e9, "s"), (1e6, "ms"), (1e3, "µs")]
        .into_iter()
        .find(|(size, _)| ns >= size * 0.999)
        .unwrap_or((1.0, "ns"));
    format!("{} {unit}", si(ns / size))
}

#[cfg(test)]
mod tests {
    use super::{axis_nanos, linear_ticks, log_ticks, means};

    #[test]
    fn ticks_are_round_and_within() {
        assert_eq!(linear_ticks(10.0, 5), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(linear_ticks(0.0, 5), [0.0]);
        assert_eq!(linear_ticks(f64::NAN, 5), [0.0]);
        assert_eq!(linear_ticks(23e6, 5), [0.0, 5e6, 10e6, 15e6, 20e6]);
        assert_eq!(log_ticks(9.0, 110.0, 12), [10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 70.0, 100.0]);
        assert_eq!(log_ticks(9.0, 110.0, 5), [10.0, 20.0, 50.0, 100.0]);
        assert_eq!(log_ticks(1.0, 1e6, 12).len(), 7);
        assert_eq!(axis_nanos(2_000.0), "2 µs");
        assert_eq!(axis_nanos(0.5), "0.5 ns");
    }

    #[test]
    fn means_keep_the_sum_where_chunks_are_equal() {
        assert_eq!(means(&[1, 3, 5, 7], 2, 0.5), [4.0, 12.0]);
        assert_eq!(means(&[1, 3, 5], 2, 1.0), [2.0, 5.0]);
        assert!(means(&[], 2, 1.0).is_empty());
    }
}
