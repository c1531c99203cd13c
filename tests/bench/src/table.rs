//! What is printed: a line for each peer and workload, and one figure at the end.

use crate::measure::Figure;
use crate::peer::Peer;
use crate::workload::{MEMORY_BOUND_MIB, Workload};

/// The median of one peer's runs of a workload.
pub(crate) struct Row {
    workload: &'static str,
    peer: &'static str,
    wall_s: f64,
    least_s: f64,
    most_s: f64,
    memory_mib: f64,
    /// Times of the plain shell.
    ratio: f64,
    /// The bound, where the peer has to keep one.
    bound: Option<f64>,
}

impl Row {
    fn keeps_its_bound(&self) -> bool {
        self.bound.is_none_or(|bound| self.ratio <= bound) && self.memory_mib <= MEMORY_BOUND_MIB
    }
}

/// Prints one line.
pub(crate) fn line(text: &str) {
    #[expect(clippy::print_stdout, reason = "the table is what the program is for")]
    {
        println!("{text}");
    }
}

pub(crate) fn head() {
    line(&format!(
        "{:<16} {:<12} {:>9} {:>17} {:>8} {:>8}",
        "workload", "peer", "wall s", "(least..most)", "MiB", "ratio"
    ));
}

/// Sums up the runs of a workload.
pub(crate) fn rows(workload: &Workload, peers: &[Peer], figures: &[Vec<Figure>]) -> Vec<Row> {
    let yardstick = figures.first().map_or(0.0, |runs| median(&walls(runs)));
    peers
        .iter()
        .zip(figures)
        .filter(|(_, runs)| !runs.is_empty())
        .map(|(peer, runs)| {
            let walls = walls(runs);
            let wall_s = median(&walls);
            Row {
                workload: workload.name,
                peer: peer.name(),
                wall_s,
                least_s: walls.iter().copied().fold(f64::INFINITY, f64::min),
                most_s: walls.iter().copied().fold(0.0, f64::max),
                memory_mib: runs.iter().map(|run| run.memory_mib).fold(0.0, f64::max),
                ratio: wall_s / yardstick,
                bound: matches!(peer, Peer::Sasrun(_)).then_some(workload.bound),
            }
        })
        .collect()
}

pub(crate) fn show(row: &Row) {
    let verdict = match row.bound {
        Some(bound) if row.keeps_its_bound() => format!("  within {bound}"),
        Some(bound) => format!("  OVER: at most {bound} and {MEMORY_BOUND_MIB} MiB"),
        None => String::new(),
    };
    line(&format!(
        "{:<16} {:<12} {:>9.3} {:>17} {:>8.1} {:>8.2}{verdict}",
        row.workload,
        row.peer,
        row.wall_s,
        format!("({:.2}..{:.2})", row.least_s, row.most_s),
        row.memory_mib,
        row.ratio,
    ));
}

/// The figure at the end.
pub(crate) fn foot(rows: &[Row]) -> anyhow::Result<()> {
    let bounded: Vec<&Row> = rows.iter().filter(|row| row.bound.is_some()).collect();
    let kept = bounded.iter().filter(|row| row.keeps_its_bound()).count();
    let logarithms: Vec<f64> = bounded.iter().map(|row| row.ratio.ln()).collect();
    let mean = (logarithms.iter().sum::<f64>() / count(&logarithms)).exp();
    let memory = bounded.iter().map(|row| row.memory_mib).fold(0.0, f64::max);
    line(&format!(
        "\nsasrun takes {mean:.2} times what a bare kept-open shell takes (geometric mean), {memory:.1} MiB at most; \
         {kept} of {} workloads within their bound",
        bounded.len()
    ));
    Ok(())
}

fn walls(runs: &[Figure]) -> Vec<f64> {
    runs.iter().map(|run| run.wall.as_secs_f64()).collect()
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match (sorted.get(middle), sorted.get(middle.wrapping_sub(1))) {
        (Some(upper), Some(lower)) if sorted.len().is_multiple_of(2) => (upper + lower) / 2.0,
        (Some(value), _) => *value,
        _ => 0.0,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a handful")]
fn count(values: &[f64]) -> f64 {
    values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_in_the_middle() {
        for (values, middle) in [
            (&[3.0, 1.0, 2.0][..], 2.0),
            (&[4.0, 1.0, 2.0, 3.0], 2.5),
            (&[7.0], 7.0),
            (&[], 0.0),
        ] {
            assert!((median(values) - middle).abs() < 1e-9);
        }
    }
}
