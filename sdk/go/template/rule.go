// Raises an alarm when a tank stays too full.
package main

import (
	_ "embed"
	"fmt"

	"andon"
	"andon/rule"
	"andon/state"
)

//go:embed about.json
var about string

func init() { rule.Export(about, configure) }

func main() {}

type parameters struct {
	High     float64 `json:"high"`
	Deadband float64 `json:"deadband"`
	Delay    float64 `json:"delay"`
}

type tankLevel struct {
	parameters
	input andon.Input
	key   string

	// What the rule knows. The host keeps it too, so that a restart loses nothing.
	raised, rising     bool
	since, last, count int64
}

func configure(config andon.Config) (rule.Rule, error) {
	tank := &tankLevel{parameters: parameters{High: 90, Deadband: 2, Delay: 0}}
	if err := config.Read(&tank.parameters); err != nil {
		return nil, err
	}
	if tank.Deadband < 0 {
		return nil, andon.Decline("bad-parameter", "`deadband` must not be negative")
	}
	if tank.Delay < 0 {
		return nil, andon.Decline("bad-parameter", "`delay` must not be negative")
	}
	if len(config.Inputs) == 0 {
		return nil, andon.Decline("no-input", "`level` needs a tag")
	}
	tank.input = config.Inputs[0]
	tank.key = tank.input.Tag + ".high"

	_, tank.raised = state.Get("raised")
	tank.since, tank.rising = state.GetInt("since")
	tank.count, _ = state.GetInt("count")
	last, known := state.GetInt("last")
	if !known {
		last = andon.Tenths(tank.High)
	}
	tank.last = last
	return tank, nil
}

// Evaluate judges each new level.
func (tank *tankLevel) Evaluate(call *rule.Call) error {
	for sample := range call.Samples.All() {
		if !sample.IsUsable() {
			continue
		}
		tank.last = andon.Tenths(sample.Value)
		tank.judge(call, sample)
		if tank.rising {
			state.SetInt("last", tank.last)
		}
		tank.raiseIfDue(call, sample.Time)
	}
	if call.Samples.Len() == 0 {
		tank.raiseIfDue(call, call.Now)
	}
	if tank.rising {
		andon.WakeAt(andon.After(tank.since, tank.Delay))
	}
	return nil
}

func (tank *tankLevel) judge(call *rule.Call, sample andon.Sample) {
	switch {
	case tank.raised:
		if sample.Value <= tank.High-tank.Deadband {
			tank.raised = false
			state.Delete("raised")
			call.Clear(tank.key)
		}
	case sample.Value <= tank.High && tank.rising:
		tank.rising = false
		state.Delete("since")
	case sample.Value > tank.High && !tank.rising:
		tank.rising, tank.since = true, sample.Time
		state.SetInt("since", tank.since)
	}
}

func (tank *tankLevel) raiseIfDue(call *rule.Call, now int64) {
	if !tank.rising || now < andon.After(tank.since, tank.Delay) {
		return
	}
	tank.raised, tank.rising = true, false
	tank.count++
	state.SetInt("raised", 1)
	state.SetInt("count", tank.count)
	state.Delete("since")

	unit := tank.input.Unit
	if unit != "" {
		unit = " " + unit
	}
	message := fmt.Sprintf("%s is at %s%s, above %s%s (alarm %d)", tank.input.Tag,
		andon.TenthsText(tank.last), unit, andon.TenthsText(andon.Tenths(tank.High)), unit, tank.count)
	call.Raise(tank.key, andon.High, message, rule.Attributes{{"tag", tank.input.Tag}})
}
