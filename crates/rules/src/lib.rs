//! What does a rules file say?
#![forbid(unsafe_code)]
