// Package rule makes a plugin a rule.
package rule

import (
	"andon"
	"andon/internal/guest"
	"andon/rule/export_andon_plugin_rule"

	// What the host calls.
	_ "andon/rule/wit_exports"
)

// Rule judges samples.
type Rule = export_andon_plugin_rule.Rule

// Call is one evaluation: what is new, and what comes of it.
type Call = export_andon_plugin_rule.Call

// Attributes are added to an alarm, in their order.
type Attributes = export_andon_plugin_rule.Attributes

// Export makes the component a rule; call it in an init function. `about` is JSON: name, version,
// summary, inputs, and the JSON Schema of the parameters. `configure` is called first, and again in a
// new life of the plugin: it reads the parameters, and its state.
func Export(about string, configure func(andon.Config) (Rule, error)) {
	guest.Export(guest.Plugin{
		About: about,
		Configure: func(text string) error {
			config, err := andon.ParseConfig(text)
			if err != nil {
				return err
			}
			rule, err := configure(config)
			if err == nil {
				export_andon_plugin_rule.Use(rule)
			}
			return err
		},
	})
}
