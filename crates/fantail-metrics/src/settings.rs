//! Settings of a metric, checked when they are made.

mod buckets;
mod top;

use std::{collections::HashSet, fmt, sync::Arc};

pub use self::{
    buckets::Buckets,
    top::{Top, TopError},
};

use crate::{RegistryError, RegistryErrorKind};

/// The maximum number of levels of `group_by`: it bounds the cost of an event.
const MAX_LEVELS: usize = 64;

/// The settings of a metric.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MetricSettings {
    /// The name; unique in a registry.
    pub name: Vec<u8>,
    /// A description for people.
    pub description: Vec<u8>,
    /// The fields with a distribution, in addition to the duration.
    pub fields: Vec<Vec<u8>>,
    /// The levels of sub-metrics.
    pub group_by: Vec<GroupBy>,
    /// The heavy hitters of all events of the metric; `None` if none are counted.
    pub top: Option<Top>,
}

/// Rules of a metric that can change while the metric keeps its counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetricRules {
    /// Whether scrapes have the metric. A dump and a saved state always have it.
    pub exposed: bool,
    /// The maximum number of series of the metric; `None` for
    /// [`Limits::series_per_metric`](crate::Limits::series_per_metric).
    pub series_limit: Option<usize>,
}

impl Default for MetricRules {
    /// Returns rules by which the metric is exposed, with the limit of the registry.
    fn default() -> Self {
        Self {
            exposed: true,
            series_limit: None,
        }
    }
}

impl MetricSettings {
    /// Returns an error if no registry can have this metric.
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

    /// Returns whether only the durations of all events are counted.
    pub(crate) const fn is_plain(&self) -> bool {
        self.fields.is_empty() && self.group_by.is_empty() && self.top.is_none()
    }

    /// Returns whether each bucket has the sum of its own values.
    pub(crate) fn has_own_sums(&self) -> bool {
        let last = self.group_by.last();
        last.is_some_and(|last| last.method.buckets().is_some() && last.field != b"duration")
    }
}

/// Returns an error if a registry cannot have these metrics together.
///
/// # Errors
/// As for [`Registry::add`](crate::Registry::add).
pub fn check_all(metrics: &[Arc<MetricSettings>]) -> Result<(), RegistryError> {
    let mut names = HashSet::with_capacity(metrics.len());
    for metric in metrics {
        metric.check()?;
        if !names.insert(&metric.name) {
            let kind = RegistryErrorKind::DuplicateName;
            return Err(RegistryError::new(kind, &metric.name));
        }
    }
    Ok(())
}

/// One level of sub-metrics.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GroupBy {
    /// The field whose value chooses the sub-metric.
    pub field: Vec<u8>,
    /// The mapping of the value to a sub-metric.
    pub method: Method,
}

impl GroupBy {
    /// Creates a level.
    #[must_use]
    pub fn new(field: impl Into<Vec<u8>>, method: Method) -> Self {
        let field = field.into();
        Self { field, method }
    }
}

/// The mapping of a value to a sub-metric.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Method {
    /// A sub-metric for each value, after all modifiers in order.
    Discrete(Vec<Modifier>),
    /// Buckets at powers of 2 or 10.
    Exponential(Exponential),
    /// Buckets of equal width.
    Linear(Linear),
}

/// An operation of 2.4's `modifier` setting on a value:
/// `%{value | domain | upper}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Modifier {
    /// The part after the first `@`; empty without one.
    Domain,
    /// The part before the first `@`; the whole value without one.
    Username,
    /// ASCII letters in lower case.
    Lower,
    /// ASCII letters in upper case.
    Upper,
}

/// The maximum number of steps of a linear method.
const MAX_STEPS: u64 = 65_536;

/// Buckets (−∞, base^min], (base^min, base^(min+1)], …, (base^max, +∞).
///
/// ```
/// use fantail_metrics::{Buckets, Exponential, MethodError};
///
/// // Up to 1, 10, 100 and 1,000, and above.
/// let exponential = Exponential::new(0, 3, 10)?;
/// let buckets = Buckets::Exponential(exponential);
/// assert_eq!(buckets.upper_bound(0), Some(1));
/// assert!(buckets.bucket(7) < buckets.bucket(70));
/// assert_eq!(Exponential::new(3, 0, 10), Err(MethodError::MagnitudeOrder));
/// # Ok::<(), MethodError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Exponential {
    min_magnitude: u32,
    max_magnitude: u32,
    base: u32,
}

/// Buckets (−∞, min], (min, min+step], …, (max, +∞); the last step may be
/// shorter.
///
/// ```
/// use fantail_metrics::{Linear, MethodError};
///
/// let linear = Linear::new(0, 100, 10)?;
/// assert_eq!((linear.min(), linear.max(), linear.step()), (0, 100, 10));
/// assert_eq!(Linear::new(0, 100, 0), Err(MethodError::StepZero));
/// # Ok::<(), MethodError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

    /// Returns the number of buckets between the first and the last bound.
    #[allow(clippy::cast_possible_truncation)] // `Linear::new` checks the number.
    pub(crate) const fn steps(&self) -> u32 {
        (self.max - self.min).div_ceil(self.step) as u32
    }
}

/// The reason why buckets are invalid.
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
    /// The number of steps is above 65,536; each may be a series.
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
