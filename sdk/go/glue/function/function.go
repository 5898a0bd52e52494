// Package function makes a plugin a function.
package function

import (
	"andon"
	"andon/function/export_andon_plugin_function"
	"andon/internal/guest"

	// What the host calls.
	_ "andon/function/wit_exports"
)

// Function derives values from samples.
type Function = export_andon_plugin_function.Function

// Call is one computation: what is new, and what comes of it.
type Call = export_andon_plugin_function.Call

// Export makes the component a function; call it in an init function. `about` is JSON: name, version,
// summary, inputs, outputs, and the JSON Schema of the parameters. `configure` is called first, and
// again in a new life of the plugin: it reads the parameters, and its state.
func Export(about string, configure func(andon.Config) (Function, error)) {
	guest.Export(guest.Plugin{
		About: about,
		Configure: func(text string) error {
			config, err := andon.ParseConfig(text)
			if err != nil {
				return err
			}
			function, err := configure(config)
			if err == nil {
				export_andon_plugin_function.Use(function)
			}
			return err
		},
	})
}
