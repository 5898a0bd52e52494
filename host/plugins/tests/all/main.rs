//! The stage as a whole: through the scheduler, with guests that are made of closures.

mod doubles;
mod order;
mod rounds;
mod scenarios;
mod strikes;
mod swaps;
