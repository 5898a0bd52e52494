//! Recorded samples: writing, reading, and what rules would have made of them.
