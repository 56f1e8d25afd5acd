//! Shared fixtures and golden runners for fantail's own tests.
