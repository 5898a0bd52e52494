// Turns the level of a tank into its volume, and smooths it.
package main

import (
	_ "embed"

	"andon"
	"andon/function"
)

//go:embed about.json
var about string

func init() { function.Export(about, configure) }

func main() {}

// The outputs, in the order of about.json.
const (
	volume = iota
	mean
)

type tankVolume struct {
	Capacity float64 `json:"capacity"`
	Seconds  float64 `json:"seconds"`
}

func configure(config andon.Config) (function.Function, error) {
	tank := &tankVolume{Capacity: 10, Seconds: 60}
	if err := config.Read(tank); err != nil {
		return nil, err
	}
	if !(tank.Capacity > 0) {
		return nil, andon.Decline("bad-parameter", "`capacity` must be more than 0")
	}
	return tank, nil
}

// Compute gives a volume for each new level.
func (tank *tankVolume) Compute(call *function.Call) error {
	for sample := range call.Samples.All() {
		if !sample.IsUsable() {
			continue
		}
		output := sample
		output.Input, output.Value = volume, sample.Value/100*tank.Capacity
		call.Set(output)
		output.Input, output.Value = mean, tank.meanLevel(sample)/100*tank.Capacity
		call.Set(output)
	}
	return nil
}

// meanLevel is that of the kept samples, or of the sample itself where there is none.
func (tank *tankVolume) meanLevel(sample andon.Sample) float64 {
	sum, count := 0.0, 0
	for kept := range andon.Window(sample.Input, andon.After(sample.Time, -tank.Seconds)).All() {
		if kept.IsUsable() {
			sum += kept.Value
			count++
		}
	}
	if count == 0 {
		return sample.Value
	}
	return sum / float64(count)
}
