//! The vocabulary that no kind owns.

pub mod settings;
pub mod standing;
pub mod trouble;
pub mod verdict;
pub mod wake;
