//! A registry of metrics: distributions, `group_by`, dumps.

mod settings;

pub use crate::settings::{
    Exponential, GroupBy, Linear, Method, MethodError, MetricSettings, Modifier,
};
