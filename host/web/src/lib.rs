//! HTTP: health, metrics, control API, operator page.
