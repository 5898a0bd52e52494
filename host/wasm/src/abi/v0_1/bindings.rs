//! Bindings that are generated from `wit/plugin.wit`.
//!
//! One world of all that plugins may export, so that rules and functions share their types; which
//! exports a component has is found out by `Prepared`. Arguments are borrowed: the columns go from
//! the host's vectors into the guest's memory in one copy each.

wasmtime::component::bindgen!({
    path: "../../wit",
    inline: "
        package andon:host;
        world every-plugin {
            import andon:plugin/tags@0.1.0;
            import andon:plugin/state@0.1.0;
            import andon:plugin/timer@0.1.0;
            import andon:plugin/log@0.1.0;
            export andon:plugin/plugin@0.1.0;
            export andon:plugin/rule@0.1.0;
            export andon:plugin/function@0.1.0;
            export andon:plugin/sink@0.1.0;
        }
    ",
    world: "andon:host/every-plugin",
    exports: { default: async },
    ownership: Borrowing { duplicate_if_necessary: true },
});
