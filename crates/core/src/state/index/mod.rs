//! The index: of each running network what a change of another one must know, in memory and in one
//! file that is read at once.
//!
//! It is never the truth: it is made of the records, and says in which version of their folder. A
//! folder of another version, or a file that is not whole, and it is made anew.
//!
//! A command asks a few questions and ends: they are answered by looking at the rows where they lie
//! in the file, one after the other, which for 10,000 networks is a tenth of what it took to read them
//! into maps. Who asks more gets a [`Lookup`].

mod claim_bytes;
mod file;
mod lookup;
mod row;
mod table;
mod written;

pub(super) use table::Index;

#[cfg(test)]
mod tests;
