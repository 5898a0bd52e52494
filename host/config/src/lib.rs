//! Text to checked plan: every problem at once, with file, line and hint.
