//! The limits to learning, for which iproute2 has no words.

use core::num::NonZeroU32;
use core::time::Duration;

use vxlan_core::device::{LearnRate, MoveDamping, Valid};
use vxlan_core::{Config, ConfigChange, Unlearned};

use super::super::WordsError;
use super::super::cursor::Cursor;
use super::super::number::number32;

/// What was said of the limits. `Some(None)` takes one away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LimitOptions {
    quota: Option<Option<NonZeroU32>>,
    rate: Option<Option<LearnRate>>,
    damping: Option<Option<MoveDamping>>,
    unlearned: Option<Unlearned>,
}

impl LimitOptions {
    /// Takes `word` and what belongs to it. False if it is another.
    pub(super) fn word(&mut self, words: &mut Cursor<'_>, word: &str) -> Result<bool, WordsError> {
        match word {
            "learnquota" => {
                words.once("learnquota", word)?;
                let expected = "a number of entries or \"unlimited\"";
                self.quota = Some(words.value(word, expected, |text| match text {
                    "unlimited" => Some(None),
                    _ => number32(text, u32::MAX).map(NonZeroU32::new),
                })?);
            }
            "learnrate" => {
                words.once("learnrate", word)?;
                self.rate = Some(rate(words, word)?);
            }
            "movedamping" => {
                words.once("movedamping", word)?;
                self.damping = Some(damping(words, word)?);
            }
            "unlearned" => {
                words.once("unlearned", word)?;
                let expected = "\"deliver\" or \"drop\"";
                self.unlearned = Some(words.value(word, expected, |text| match text {
                    "deliver" => Some(Unlearned::Deliver),
                    "drop" => Some(Unlearned::Drop),
                    _ => None,
                })?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The configuration of a new device with them.
    pub(super) fn config(&self, mut config: Config) -> Config {
        if let Some(quota) = self.quota {
            config = config.learn_quota(quota);
        }
        if let Some(rate) = self.rate {
            config = config.learn_rate(rate);
        }
        if let Some(damping) = self.damping {
            config = config.move_damping(damping);
        }
        if let Some(unlearned) = self.unlearned {
            config = config.unlearned(unlearned);
        }
        config
    }

    /// The change of a device with them.
    pub(crate) fn change(&self, mut change: ConfigChange) -> ConfigChange {
        if let Some(quota) = self.quota {
            change = change.learn_quota(quota);
        }
        if let Some(rate) = self.rate {
            change = change.learn_rate(rate);
        }
        if let Some(damping) = self.damping {
            change = change.move_damping(damping);
        }
        if let Some(unlearned) = self.unlearned {
            change = change.unlearned(unlearned);
        }
        change
    }

    /// All that a device has.
    pub(crate) fn of(config: &Valid) -> Self {
        Self {
            quota: Some(config.learn_quota()),
            rate: Some(config.learn_rate()),
            damping: Some(config.move_damping().copied()),
            unlearned: Some(config.unlearned()),
        }
    }
}

/// `PER_SECOND BURST`, or `unlimited`.
fn rate(words: &mut Cursor<'_>, word: &str) -> Result<Option<LearnRate>, WordsError> {
    let expected = "a number of entries from 1 or \"unlimited\"";
    let per_second = words.value(word, expected, |text| off(text, "unlimited"))?;
    let Some(per_second) = per_second else {
        return Ok(None);
    };
    let said = format!("{word} {per_second}");
    let burst = words.value(&said, "a number of entries from 1", positive)?;
    Ok(Some(LearnRate { per_second, burst }))
}

/// `MOVES SECONDS HOLD`, or `none`.
fn damping(words: &mut Cursor<'_>, word: &str) -> Result<Option<MoveDamping>, WordsError> {
    let expected = "a number of moves from 1 or \"none\"";
    let Some(moves) = words.value(word, expected, |text| off(text, "none"))? else {
        return Ok(None);
    };
    let seconds = "a number of seconds from 1";
    let mut said = format!("{word} {moves}");
    let within = words.value(&said, seconds, positive)?;
    said = format!("{said} {within}");
    let hold = words.value(&said, seconds, positive)?;
    let duration = |seconds: NonZeroU32| Duration::from_secs(seconds.get().into());
    Ok(Some(MoveDamping {
        moves,
        within: duration(within),
        hold: duration(hold),
    }))
}

fn off(text: &str, word: &str) -> Option<Option<NonZeroU32>> {
    if text == word {
        Some(None)
    } else {
        positive(text).map(Some)
    }
}

fn positive(text: &str) -> Option<NonZeroU32> {
    number32(text, u32::MAX).and_then(NonZeroU32::new)
}

/// The words for the limits that a device has; none for those that it has not.
pub(crate) fn write_limits(config: &Valid) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(quota) = config.learn_quota() {
        words.push(format!("learnquota {quota}"));
    }
    if let Some(LearnRate { per_second, burst }) = config.learn_rate() {
        words.push(format!("learnrate {per_second} {burst}"));
    }
    if let Some(damping) = config.move_damping() {
        let (within, hold) = (damping.within.as_secs(), damping.hold.as_secs());
        words.push(format!("movedamping {} {within} {hold}", damping.moves));
    }
    if config.unlearned() == Unlearned::Drop {
        words.push("unlearned drop".to_owned());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::super::parse_link;
    use super::*;
    use proptest::prelude::*;

    fn read(tail: &str) -> Valid {
        let link = parse_link(&format!("vx0 type vxlan id 42 {tail}")).unwrap();
        link.options.config().validate().unwrap()
    }

    fn number(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    #[test]
    fn words_for_limits() {
        let config = read("learnquota 5 learnrate 0x64 200 movedamping 5 180 540 unlearned drop");
        assert_eq!(config.learn_quota(), NonZeroU32::new(5));
        let (per_second, burst) = (number(100), number(200));
        assert_eq!(config.learn_rate(), Some(LearnRate { per_second, burst }));
        let damping = MoveDamping {
            moves: number(5),
            within: Duration::from_secs(180),
            hold: Duration::from_secs(540),
        };
        assert_eq!(config.move_damping(), Some(&damping));
        assert_eq!(config.unlearned(), Unlearned::Drop);
        let off = "learnquota unlimited learnrate unlimited movedamping none unlearned deliver";
        assert_eq!(read(off), read(""));
        assert_eq!(read("learnquota 0"), read(""));
        assert!(write_limits(&read("")).is_empty());
    }

    #[test]
    fn wrong_words() {
        for (tail, want) in [
            (
                "learnquota",
                "\"learnquota\": a number of entries or \"unlimited\" expected behind it",
            ),
            (
                "learnrate 0 1",
                "\"learnrate 0\": a number of entries from 1 or \"unlimited\" expected",
            ),
            (
                "learnrate 7",
                "\"learnrate 7\": a number of entries from 1 expected behind it",
            ),
            (
                "movedamping unlimited",
                "\"movedamping unlimited\": a number of moves from 1 or \"none\" expected",
            ),
            (
                "movedamping 5 180 0",
                "\"movedamping 5 180 0\": a number of seconds from 1 expected",
            ),
            (
                "unlearned no",
                "\"unlearned no\": \"deliver\" or \"drop\" expected",
            ),
            ("unlearned drop unlearned drop", "\"unlearned\": said twice"),
        ] {
            let error = parse_link(&format!("vx0 type vxlan id 42 {tail}")).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("link \"vx0 …\": {want}"),
                "{tail}"
            );
        }
    }

    proptest! {
        /// What is written is read back, as a new device and as a change of any other.
        #[test]
        fn reading_undoes_writing(
            one in prop::collection::vec(prop::option::of(1u32..), 7),
            other in prop::collection::vec(prop::option::of(1u32..), 7),
        ) {
            let [one, other] = [one, other].map(|numbers| {
                let mut config = Config::new(vxlan_core::Vni::MIN);
                if let &[quota, per_second, burst, moves, within, hold, drop] = &numbers[..] {
                    config = config.learn_quota(quota.map(number));
                    let rate = per_second.zip(burst).map(|(per_second, burst)| LearnRate {
                        per_second: number(per_second),
                        burst: number(burst),
                    });
                    let duration = |seconds: u32| Duration::from_secs(seconds.into());
                    let times = within.zip(hold);
                    let damping = moves.zip(times).map(|(moves, (within, hold))| MoveDamping {
                        moves: number(moves),
                        within: duration(within),
                        hold: duration(hold),
                    });
                    config = config.learn_rate(rate).move_damping(damping);
                    config = config.unlearned(match drop {
                        Some(_) => Unlearned::Drop,
                        None => Unlearned::Deliver,
                    });
                }
                config.validate().unwrap()
            });
            let words = write_limits(&one).join(" ");
            let link = parse_link(&format!("vx0 type vxlan id 0 {words}")).unwrap();
            prop_assert_eq!(&link.options.config().validate().unwrap(), &one, "{}", words);
            let change = LimitOptions::of(&one).change(ConfigChange::new());
            prop_assert_eq!(&other.changed(&change).unwrap(), &one.changed(&change).unwrap());
        }
    }
}
