//! LL, L, H and HH limits on any number of inputs.
