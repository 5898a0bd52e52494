//! Who is told, when and by what.
