//! The rule of `set logservice settings`: which names there are, what they take, and when the keeper takes it.

use super::state::{Limits, Locality, Settings, State};
use serde::{Deserialize, Serialize};

/// Name of the number of learners of each shard.
pub const LEARNERS: &str = "non_voting_replica_num";
/// Name of where learners must stand.
pub const LOCALITY: &str = "non_voting_locality";

/// A value as somebody wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// A whole number of 64 bits, signed.
    Number(i64),
    /// A text.
    Text(String),
    /// Anything else, as written; no setting takes it.
    Other(String),
}

/// One setting and its new value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Setting {
    /// Learners of each shard.
    Learners(u64),
    /// Where they must stand; empty clears it.
    Locality(Locality),
}

/// Why a setting is refused. The words are those operators know from `MatrixOne`, its spelling included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum SettingError {
    /// A text for a number, or the other way round.
    #[error("wrong value type: {0}")]
    Type(String),
    /// A name that is none.
    #[error("unsupported logservice settings var: {0}")]
    Name(String),
    /// Learners before it is known where they may stand.
    #[error("non-voting replica locality has not been set")]
    NoLocality,
    /// More replicas of a shard than stores.
    #[error("there are not enough log store number: only {0} stores are avaiable")]
    Stores(u64),
}

impl std::fmt::Display for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Given::Number(number) => number.fmt(f),
            Given::Text(text) | Given::Other(text) => f.write_str(text),
        }
    }
}

impl Setting {
    /// Reads a name and a value. A negative number wraps to 64 bits without sign, as it does in `MatrixOne`.
    pub fn read(name: &str, value: &Given) -> Result<Setting, SettingError> {
        let wrong = || SettingError::Type(value.to_string());
        match name.to_ascii_lowercase().as_str() {
            LEARNERS => match value {
                Given::Number(number) => Ok(Setting::Learners(number.cast_unsigned())),
                _ => Err(wrong()),
            },
            LOCALITY => match value {
                Given::Text(text) => Ok(Setting::Locality(Locality::read(text))),
                _ => Err(wrong()),
            },
            _ => Err(SettingError::Name(name.to_owned())),
        }
    }

    /// Whether the keeper takes it as things are. Where stores stand and whether they live does not count: they may come later.
    pub fn check(&self, state: &State, limits: &Limits) -> Result<(), SettingError> {
        let Setting::Learners(learners) = self else { return Ok(()) };
        if state.settings.locality.is_empty() {
            return Err(SettingError::NoLocality);
        }
        let (stores, voters) = (state.stores.len() as u64, limits.voters as u64);
        // Saturating: the sum of a wrapped negative must not wrap once more and look small.
        if voters.saturating_add(*learners) > stores {
            return Err(SettingError::Stores(stores.saturating_sub(voters)));
        }
        Ok(())
    }
}

impl State {
    /// Takes a setting, if the rule allows it.
    pub fn set(&mut self, setting: Setting, limits: &Limits) -> Result<(), SettingError> {
        setting.check(self, limits)?;
        match setting {
            Setting::Learners(learners) => self.settings.learners = learners,
            Setting::Locality(locality) => self.settings.locality = locality,
        }
        Ok(())
    }
}

impl Settings {
    /// Names and values as `show logservice settings` shows them; here every pair of the locality ends with `;`.
    pub fn shown(&self) -> [(&'static str, String); 2] {
        let pairs = self.locality.0.iter().map(|(key, value)| format!("{key}:{value};"));
        [(LEARNERS, self.learners.to_string()), (LOCALITY, pairs.collect())]
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Addresses, Heartbeat};
    use super::*;
    use proptest::prelude::*;

    const LIMITS: Limits = Limits { voters: 1, store_ticks: 5 };

    fn state(stores: usize) -> State {
        let mut state = State::default();
        for number in 0..stores {
            let (store, addresses) = (format!("store-{number}"), Addresses::default());
            state.hear(Heartbeat { born: 0, store, addresses, locality: Locality::default(), held: Vec::new() });
        }
        state
    }

    fn set(state: &mut State, name: &str, value: &Given) -> Result<(), String> {
        let setting = Setting::read(name, value).map_err(|error| error.to_string())?;
        state.set(setting, &LIMITS).map_err(|error| error.to_string())
    }

    fn text(text: &str) -> Given {
        Given::Text(text.to_owned())
    }

    fn refused(text: &str) -> Result<(), String> {
        Err(text.to_owned())
    }

    #[test]
    fn a_locality_and_then_a_number_are_taken_and_shown() {
        let mut state = state(2);
        assert_eq!(state.settings.shown(), [(LEARNERS, "0".to_owned()), (LOCALITY, String::new())]);
        set(&mut state, LOCALITY, &text("region:west;rack")).unwrap();
        set(&mut state, "Non_Voting_Replica_Num", &Given::Number(1)).unwrap();
        let shown = state.settings.shown().map(|(_, value)| value);
        assert_eq!(shown, ["1".to_owned(), "rack:;region:west;".to_owned()]);
        set(&mut state, LOCALITY, &text("")).unwrap();
        assert!(state.settings.locality.is_empty());
    }

    #[test]
    fn names_and_types_are_refused_in_the_words_operators_know() {
        let mut state = state(2);
        let number = |number| Given::Number(number);
        assert_eq!(set(&mut state, LEARNERS, &text("one")), refused("wrong value type: one"));
        assert_eq!(set(&mut state, LEARNERS, &Given::Other("1.5".to_owned())), refused("wrong value type: 1.5"));
        assert_eq!(set(&mut state, LOCALITY, &number(7)), refused("wrong value type: 7"));
        assert_eq!(set(&mut state, "voters", &number(7)), refused("unsupported logservice settings var: voters"));
        assert_eq!(state.settings, Settings::default());
    }

    #[test]
    fn learners_need_a_locality_and_a_store_each() {
        let mut state = state(3);
        let number = |state: &mut State, number| set(state, LEARNERS, &Given::Number(number));
        assert_eq!(number(&mut state, 0), refused("non-voting replica locality has not been set"));
        set(&mut state, LOCALITY, &text("region:west")).unwrap();
        let scarce = "there are not enough log store number: only 2 stores are avaiable";
        assert_eq!(number(&mut state, 3), refused(scarce));
        assert_eq!(number(&mut state, -1), refused(scarce), "a negative number is a very large one");
        assert_eq!(number(&mut state, 2), Ok(()));
        assert_eq!(state.settings.learners, 2);
    }

    #[test]
    fn fewer_stores_than_voters_are_no_stores_to_spare() {
        let mut state = state(0);
        set(&mut state, LOCALITY, &text("region:west")).unwrap();
        let scarce = "there are not enough log store number: only 0 stores are avaiable";
        assert_eq!(set(&mut state, LEARNERS, &Given::Number(0)), refused(scarce));
    }

    proptest! {
        #[test]
        fn what_is_taken_never_asks_for_more_than_there_are_stores(stores in 0..6_usize, number in any::<i64>()) {
            let mut state = state(stores);
            set(&mut state, LOCALITY, &text("a:b")).unwrap();
            if set(&mut state, LEARNERS, &Given::Number(number)).is_ok() {
                prop_assert!(state.settings.learners < stores as u64);
            }
        }
    }
}
