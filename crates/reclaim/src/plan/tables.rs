//! Which tables are worth a rebuild, and in which order. Pure.

use api::{Estimate, Method, RecycleConfig};

const MB: f64 = 1_048_576.0;

/// Why a table is left alone, if it is.
///
/// The seed's thresholds choose the candidates, by the larger of what its own rule sees (`DATA_FREE`) and what the estimate
/// predicts; a candidate that would grow, or whose gain is not clear of the estimate's error, is left alone all the same.
pub fn reason_to_leave(estimate: &Estimate, config: &RecycleConfig) -> Option<String> {
    let file = estimate.file_bytes as f64;
    let waste = (estimate.data_free_bytes as f64).max(estimate.predicted_freed_bytes as f64).max(0.0);
    let percent = if file > 0.0 { 100.0 * waste / file } else { 0.0 };
    if waste < config.threshold_mb as f64 * MB || percent < config.threshold_percent {
        return Some(format!(
            "wastes {:.1} MB ({percent:.1} %), below the thresholds of {} MB and {} %",
            waste / MB,
            config.threshold_mb,
            config.threshold_percent
        ));
    }
    if estimate.method == Method::None {
        return Some("what it holds could not be looked at, so what a rebuild would free is unknown".to_owned());
    }
    if estimate.predicted_freed_bytes <= 0 {
        return Some(format!(
            "a rebuild is predicted to grow it by {:.1} MB",
            -(estimate.predicted_freed_bytes as f64) / MB
        ));
    }
    (estimate.predicted_low_bytes <= 0).then(|| {
        format!(
            "the predicted gain of {:.1} MB is not clear of the estimate's error (95 %: {:.1} to {:.1} MB)",
            estimate.predicted_freed_bytes as f64 / MB,
            estimate.predicted_low_bytes as f64 / MB,
            estimate.predicted_high_bytes as f64 / MB
        )
    })
}

/// Predicted bytes freed per byte written: a rebuild costs what it writes, not what it frees.
pub fn gain_per_byte(estimate: &Estimate) -> f64 {
    let written = (estimate.file_bytes as f64 - estimate.predicted_freed_bytes as f64).max(1.0);
    estimate.predicted_freed_bytes as f64 / written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixtures;

    fn estimate(file: u64, freed: i64, error: i64, data_free: u64) -> Estimate {
        Estimate {
            file_bytes: file << 20,
            predicted_freed_bytes: freed << 20,
            predicted_low_bytes: (freed - error) << 20,
            predicted_high_bytes: (freed + error) << 20,
            data_free_bytes: data_free << 20,
            method: Method::Sql,
        }
    }

    /// S8: `DATA_FREE` alone saw 4 % of what a scattered delete leaves; such a table must be a candidate.
    #[test]
    fn s8_a_scattered_delete_is_a_candidate_although_data_free_is_blind() {
        let config = fixtures::config();
        assert_eq!(reason_to_leave(&estimate(662, 578, 20, 23), &config), None);
    }

    #[test]
    fn each_reason_is_named() {
        let config = fixtures::config();
        let cases = [
            (estimate(500, 50, 5, 10), "below the thresholds"),
            (estimate(5000, 200, 5, 10), "below the thresholds"),
            (estimate(1000, -90, 5, 200), "grow"),
            (estimate(1000, 150, 160, 10), "not clear"),
            (Estimate { method: Method::None, ..estimate(1000, 0, 1000, 200) }, "unknown"),
        ];
        for (estimate, word) in cases {
            let reason = reason_to_leave(&estimate, &config).expect("a reason");
            assert!(reason.contains(word), "{reason}");
        }
    }

    #[test]
    fn zero_thresholds_take_every_clear_gain() {
        let config = RecycleConfig { threshold_mb: 0, threshold_percent: 0.0, ..fixtures::config() };
        assert_eq!(reason_to_leave(&estimate(10, 2, 1, 0), &config), None);
        assert!(reason_to_leave(&estimate(10, 0, 1, 0), &config).is_some());
    }
}
