//! Time left, by bytes: one table of a terabyte among ninety-nine of a megabyte is not one percent of the work (S9).

/// One piece of work, as far as it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Piece {
    /// Predicted seconds, which go with the bytes to write.
    pub predicted: f64,
    /// Done, 0 to 1.
    pub fraction: f64,
    /// Seconds spent on it so far.
    pub spent: f64,
}

/// Share of all work that is done, 0 to 1.
pub(crate) fn share(pieces: &[Piece]) -> f64 {
    let all: f64 = pieces.iter().map(|piece| piece.predicted).sum();
    let done: f64 = pieces.iter().map(|piece| piece.predicted * piece.fraction).sum();
    if all > 0.0 { (done / all).clamp(0.0, 1.0) } else { 0.0 }
}

/// Seconds left: predictions corrected by how much longer the work so far took than predicted.
pub(crate) fn left(pieces: &[Piece]) -> f64 {
    let done: f64 = pieces.iter().map(|piece| piece.predicted * piece.fraction).sum();
    let spent: f64 = pieces.iter().filter(|piece| piece.fraction > 0.0).map(|piece| piece.spent).sum();
    // Until some work is done there is nothing to correct by.
    let pace = if done > 0.5 { spent / done } else { 1.0 };
    pieces.iter().map(|piece| piece.predicted * (1.0 - piece.fraction)).sum::<f64>() * pace
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(predicted: f64, fraction: f64, spent: f64) -> Piece {
        Piece { predicted, fraction, spent }
    }

    /// S9: with ninety-nine small tables done and a large one to go, the seed's tool says 99 % and a moment.
    #[test]
    fn s9_progress_and_time_left_go_by_bytes() {
        let mut pieces = vec![piece(1.0, 1.0, 1.0); 99];
        pieces.push(piece(10_000.0, 0.0, 0.0));
        assert!(share(&pieces) < 0.01);
        assert!((left(&pieces) - 10_000.0).abs() < 1.0);
    }

    #[test]
    fn a_slow_start_corrects_the_rest() {
        let pieces = [piece(10.0, 1.0, 30.0), piece(100.0, 0.0, 0.0)];
        assert!((left(&pieces) - 300.0).abs() < 1e-9);
        assert!((left(&[piece(100.0, 0.0, 0.0)]) - 100.0).abs() < 1e-9);
        let half = [piece(100.0, 0.5, 100.0)];
        assert!((left(&half) - 100.0).abs() < 1e-9);
    }
}
