//! Tests of the desk through its public face: one binary, one module a subject.

// `cfg(test)` tells clippy that the fixtures are tests too.
#[cfg(test)]
mod answering;
#[cfg(test)]
mod checking;
#[cfg(test)]
mod digesting;
#[cfg(test)]
mod escalating;
#[cfg(test)]
mod failing;
#[cfg(test)]
mod model;
#[cfg(test)]
mod office;
#[cfg(test)]
mod oncall;
#[cfg(test)]
mod quiet;
#[cfg(test)]
mod receipts;
#[cfg(test)]
mod replies;
#[cfg(test)]
mod silences;
#[cfg(test)]
mod steps_model;
#[cfg(test)]
mod telling;
#[cfg(test)]
mod tree;
