//! Plugin projects: templates, builds, and from a core module to a component.
