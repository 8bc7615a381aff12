//! The vocabulary that no kind owns.

pub mod conditions;
pub mod now;
pub mod pass;
pub mod settings;
pub mod standing;
pub mod trouble;
pub mod verdict;
pub mod wake;
pub mod without;
pub mod words;
