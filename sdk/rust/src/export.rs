//! The export macros. They hide that the exports exist for WebAssembly only: their names are no
//! symbols that a native linker takes, and the crate must still build and be tested natively.

/// Exports a [`Rule`](crate::Rule) as a component of the world `rule-plugin`. For other targets it
/// only checks that the type is a rule.
#[macro_export]
macro_rules! export_rule {
    ($rule:ty) => {
        #[cfg(not(target_family = "wasm"))]
        const _: () = {
            const fn is_a_rule<R: $crate::Rule>() {}
            is_a_rule::<$rule>();
        };
        #[cfg(target_family = "wasm")]
        const _: () = {
            use $crate::guest::{self, plugin_world, rule_world};

            ::std::thread_local! {
                static INSTANCE: guest::Slot<$rule> = const { guest::Slot::new() };
            }

            struct Exported;

            impl plugin_world::exports::andon::plugin::plugin::Guest for Exported {
                fn describe() -> ::std::string::String {
                    guest::describe_rule::<$rule>()
                }

                fn configure(
                    config: ::std::string::String,
                ) -> ::std::result::Result<(), guest::WitFailure> {
                    INSTANCE.with(|slot| slot.configure_rule(&config))
                }
            }

            impl rule_world::exports::andon::plugin::rule::Guest for Exported {
                fn evaluate(
                    now: i64,
                    samples: guest::WitSamples,
                ) -> ::std::result::Result<::std::vec::Vec<guest::WitAction>, guest::WitFailure>
                {
                    INSTANCE.with(|slot| slot.evaluate(now, &samples))
                }
            }

    plugin_world::export_plugin_part!(Exported with_types_in $crate::guest::plugin_world);
    rule_world::export_rule_part!(Exported with_types_in $crate::guest::rule_world);
        };
    };
}

/// Exports a [`Function`](crate::Function) as a component of the world `function-plugin`. For other
/// targets it only checks that the type is a function.
#[macro_export]
macro_rules! export_function {
    ($function:ty) => {
        #[cfg(not(target_family = "wasm"))]
        const _: () = {
            const fn is_a_function<F: $crate::Function>() {}
            is_a_function::<$function>();
        };
        #[cfg(target_family = "wasm")]
        const _: () = {
            use $crate::guest::{self, function_world, plugin_world};

            ::std::thread_local! {
                static INSTANCE: guest::Slot<$function> = const { guest::Slot::new() };
            }

            struct Exported;

            impl plugin_world::exports::andon::plugin::plugin::Guest for Exported {
                fn describe() -> ::std::string::String {
                    guest::describe_function::<$function>()
                }

                fn configure(
                    config: ::std::string::String,
                ) -> ::std::result::Result<(), guest::WitFailure> {
                    INSTANCE.with(|slot| slot.configure_function(&config))
                }
            }

            impl function_world::exports::andon::plugin::function::Guest for Exported {
                fn compute(
                    now: i64,
                    samples: guest::WitSamples,
                ) -> ::std::result::Result<guest::WitSamples, guest::WitFailure> {
                    INSTANCE.with(|slot| slot.compute(now, &samples))
                }
            }

            plugin_world::export_plugin_part!(Exported with_types_in $crate::guest::plugin_world);
            function_world::export_function_part!(Exported with_types_in $crate::guest::function_world);
        };
    };
}

/// Exports a [`Sink`](crate::Sink) as a component of the world `sink-plugin`. For other targets it
/// only checks that the type is a sink.
#[macro_export]
macro_rules! export_sink {
    ($sink:ty) => {
        #[cfg(not(target_family = "wasm"))]
        const _: () = {
            const fn is_a_sink<S: $crate::Sink>() {}
            is_a_sink::<$sink>();
        };
        #[cfg(target_family = "wasm")]
        const _: () = {
            use $crate::guest::{self, plugin_world, sink_world};

            ::std::thread_local! {
                static INSTANCE: guest::SinkSlot<$sink> = const { guest::SinkSlot::new() };
            }

            struct Exported;

            impl plugin_world::exports::andon::plugin::plugin::Guest for Exported {
                fn describe() -> ::std::string::String {
                    guest::describe_sink::<$sink>()
                }

                fn configure(
                    config: ::std::string::String,
                ) -> ::std::result::Result<(), guest::WitFailure> {
                    INSTANCE.with(|slot| slot.configure(&config))
                }
            }

            impl sink_world::exports::andon::plugin::sink::Guest for Exported {
                fn deliver(
                    now: i64,
                    notification: guest::WitNotification,
                ) -> ::std::result::Result<guest::WitReceipt, guest::WitUndelivered> {
                    INSTANCE.with(|slot| slot.deliver(now, notification))
                }
            }

    plugin_world::export_plugin_part!(Exported with_types_in $crate::guest::plugin_world);
    sink_world::export_sink_part!(Exported with_types_in $crate::guest::sink_world);
        };
    };
}
