//! What a metric is made of, checked at the door.

mod buckets;

use std::fmt;

pub use self::buckets::Buckets;

use crate::{RegistryError, RegistryErrorKind};

/// The most levels of `group_by`: a bound for what one event can do.
const MAX_LEVELS: usize = 64;

/// A metric as it was configured.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MetricSettings {
    /// Its name; unique in a registry.
    pub name: Vec<u8>,
    /// What people call it.
    pub description: Vec<u8>,
    /// The fields with a distribution, besides the duration.
    pub fields: Vec<Vec<u8>>,
    /// The levels of sub-metrics.
    pub group_by: Vec<GroupBy>,
}

impl MetricSettings {
    /// Returns an error where no registry may have such a metric.
    pub(crate) fn check(&self) -> Result<(), RegistryError> {
        let kind = if self.name.is_empty() {
            RegistryErrorKind::EmptyName
        } else if self.group_by.len() > MAX_LEVELS {
            RegistryErrorKind::TooManyLevels
        } else {
            return Ok(());
        };
        Err(RegistryError::new(kind, &self.name))
    }

    /// Whether the sums of buckets' own values are kept.
    pub(crate) fn has_own_sums(&self) -> bool {
        let last = self.group_by.last();
        last.is_some_and(|last| last.method.buckets().is_some() && last.field != b"duration")
    }
}

/// One level of sub-metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupBy {
    /// The field whose value chooses the sub-metric.
    pub field: Vec<u8>,
    /// How it does.
    pub method: Method,
}

/// How a value chooses its sub-metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    /// Each value has its own, after the modifiers were applied in order.
    Discrete(Vec<Modifier>),
    /// Buckets at powers of 2 or 10.
    Exponential(Exponential),
    /// Buckets of equal width.
    Linear(Linear),
}

/// What 2.4's `modifier` setting does to a value (`%{value | domain | upper}`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modifier {
    /// What follows the first `@`; empty without one.
    Domain,
    /// What precedes the first `@`; everything without one.
    Username,
    /// ASCII letters in lower case.
    Lower,
    /// ASCII letters in upper case.
    Upper,
}

/// The most steps of a linear method.
const MAX_STEPS: u64 = 65_536;

/// Buckets (−∞, base^min], (base^min, base^(min+1)], …, (base^max, +∞).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exponential {
    min_magnitude: u32,
    max_magnitude: u32,
    base: u32,
}

/// Buckets (−∞, min], (min, min+step], …, cut at max, (max, +∞).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Linear {
    min: u64,
    max: u64,
    step: u64,
}

impl Exponential {
    /// Creates the method.
    ///
    /// # Errors
    /// The base is neither 2 nor 10, the magnitudes are not in order, or the
    /// largest bound is beyond 2⁶³−1.
    pub fn new(min_magnitude: u32, max_magnitude: u32, base: u32) -> Result<Self, MethodError> {
        if base != 2 && base != 10 {
            return Err(MethodError::Base);
        }
        if min_magnitude >= max_magnitude {
            return Err(MethodError::MagnitudeOrder);
        }
        if i64::from(base).checked_pow(max_magnitude).is_none() {
            return Err(MethodError::TooLarge);
        }
        Ok(Self {
            min_magnitude,
            max_magnitude,
            base,
        })
    }

    /// Returns the magnitude of the first bound.
    #[must_use]
    pub const fn min_magnitude(&self) -> u32 {
        self.min_magnitude
    }

    /// Returns the magnitude of the last bound.
    #[must_use]
    pub const fn max_magnitude(&self) -> u32 {
        self.max_magnitude
    }

    /// Returns the base, 2 or 10.
    #[must_use]
    pub const fn base(&self) -> u32 {
        self.base
    }
}

impl Linear {
    /// Creates the method.
    ///
    /// # Errors
    /// The step is 0, `min` is not below `max`, `min + step` is above `max`,
    /// `max` is beyond 2⁶³−1, or there are more than 65,536 steps.
    pub fn new(min: u64, max: u64, step: u64) -> Result<Self, MethodError> {
        if step == 0 {
            return Err(MethodError::StepZero);
        }
        if min >= max {
            return Err(MethodError::Order);
        }
        if i64::try_from(max).is_err() {
            return Err(MethodError::TooLarge);
        }
        if min.checked_add(step).is_none_or(|first| first > max) {
            return Err(MethodError::StepTooLarge);
        }
        if (max - min).div_ceil(step) > MAX_STEPS {
            return Err(MethodError::TooManySteps);
        }
        Ok(Self { min, max, step })
    }

    /// Returns the first bound.
    #[must_use]
    pub const fn min(&self) -> u64 {
        self.min
    }

    /// Returns the last bound.
    #[must_use]
    pub const fn max(&self) -> u64 {
        self.max
    }

    /// Returns the width of a bucket.
    #[must_use]
    pub const fn step(&self) -> u64 {
        self.step
    }

    /// How many buckets lie between the first and the last bound.
    #[allow(clippy::cast_possible_truncation)] // Checked when it was made.
    pub(crate) const fn steps(&self) -> u32 {
        (self.max - self.min).div_ceil(self.step) as u32
    }
}

/// Why buckets cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MethodError {
    /// The base of an exponential method is neither 2 nor 10.
    Base,
    /// The smallest magnitude is not below the largest.
    MagnitudeOrder,
    /// The smallest bound is not below the largest.
    Order,
    /// The step is 0.
    StepZero,
    /// The first step goes beyond the largest bound.
    StepTooLarge,
    /// A bound is beyond 2⁶³−1.
    TooLarge,
    /// There are more than 65,536 steps (each may be a series).
    TooManySteps,
}

impl fmt::Display for MethodError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Base => "the base must be 2 or 10",
            Self::MagnitudeOrder => "the smallest magnitude must be below the largest",
            Self::Order => "the smallest bound must be below the largest",
            Self::StepZero => "the step must not be 0",
            Self::StepTooLarge => "the first step goes beyond the largest bound",
            Self::TooLarge => "a bound does not fit in 63 bits",
            Self::TooManySteps => "there are more than 65536 steps",
        })
    }
}

impl std::error::Error for MethodError {}
