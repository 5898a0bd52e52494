// Package export_andon_plugin_rule is what the bindings of rules call. Package rule shows it to
// authors.
package export_andon_plugin_rule

import (
	"errors"
	"fmt"

	"andon"
	"andon/bindings/andon_plugin_types"
	"andon/internal/guest"
	"andon/wit/types"
)

// Rule judges samples.
type Rule interface {
	// Evaluate is called with what is new, and at wake-ups. An error takes back what the call did.
	Evaluate(call *Call) error
}

// Attributes are added to an alarm, in their order.
type Attributes [][2]string

// Call is one evaluation: what is new, and what comes of it.
type Call struct {
	// Now is the only clock.
	Now int64
	// Samples is what is new; nothing at a wake-up that andon.WakeAt asked for.
	Samples andon.Samples

	actions []andon_plugin_types.Action
}

// Raise says that a condition holds. Raising what is raised already updates it and alerts nobody again.
func (call *Call) Raise(key string, priority andon.Priority, message string, attributes Attributes) {
	call.add(andon_plugin_types.MakeActionRaise(alarm(key, priority, message, attributes)))
}

// Clear says that a condition no longer holds.
func (call *Call) Clear(key string) {
	call.add(andon_plugin_types.MakeActionClear(key))
}

// Notify tells people once; nothing stays active.
func (call *Call) Notify(key string, priority andon.Priority, message string, attributes Attributes) {
	call.add(andon_plugin_types.MakeActionNotify(alarm(key, priority, message, attributes)))
}

func (call *Call) add(action andon_plugin_types.Action) {
	if len(call.actions) == guest.AnswersMax {
		guest.Refuse("too-many-actions", fmt.Sprintf("a call has at most %d actions", guest.AnswersMax))
		return
	}
	call.actions = append(call.actions, action)
}

func alarm(key string, priority andon.Priority, message string, attributes Attributes) andon_plugin_types.Alarm {
	pairs := make([]wit_types.Tuple2[string, string], len(attributes))
	for i, pair := range attributes {
		pairs[i] = wit_types.Tuple2[string, string]{F0: pair[0], F1: pair[1]}
	}
	return andon_plugin_types.Alarm{Key: key, Priority: uint8(priority), Message: message, Attributes: pairs}
}

// The rule as it was configured last.
var configured Rule

// Use makes a rule the one that is called.
func Use(rule Rule) { configured = rule }

// Evaluate hands samples to the rule.
func Evaluate(now int64, samples andon_plugin_types.Samples) wit_types.Result[[]andon_plugin_types.Action, andon_plugin_types.Failure] {
	return guest.Answer(func() ([]andon_plugin_types.Action, error) {
		if configured == nil {
			return nil, errors.New("the rule was called before it was configured")
		}
		call := Call{Now: now, Samples: andon.BatchOf(samples)}
		err := configured.Evaluate(&call)
		return call.actions, err
	})
}
