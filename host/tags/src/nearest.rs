//! The known name that is nearest to one that nobody knows, for hints.

/// The nearest of the known names, if one is near enough to be meant.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= (name.chars().count() / 3).clamp(1, 3))
        .min()
        .map(|(_, candidate)| candidate)
}
