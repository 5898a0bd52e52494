// Posts each message as JSON to the address of the contact.
package main

import (
	_ "embed"
	"encoding/json"
	"strings"

	"andon"
	"andon/sink"
)

//go:embed about.json
var about string

func init() { sink.Export(about, configure) }

func main() {}

// The longest piece of an answer that is told to people, characters.
const saysCharactersMax = 200

type webhook struct {
	Title string `json:"title"`
}

func configure(config andon.Config) (sink.Sink, error) {
	hook := &webhook{Title: "Andon"}
	return hook, config.Read(hook)
}

// Deliver posts a message.
func (hook *webhook) Deliver(message *sink.Message, web *sink.Web) (string, error) {
	address := message.Address
	if !strings.HasPrefix(address, "https://") && !strings.HasPrefix(address, "http://") {
		return "", sink.NotDelivered(sink.BadAddress, "`%s` is no address like https://example.net/path", address)
	}
	answer, err := web.PostJSON(address, map[string]any{
		"id":       message.ID,
		"title":    hook.Title,
		"text":     message.Text,
		"occasion": message.Occasion,
		"priority": message.Priority,
		"attempt":  message.Attempt,
	})
	if err != nil {
		return "", err
	}
	if !answer.OK() {
		return "", sink.ByStatus("the webhook", answer, answer.Says(saysCharactersMax))
	}
	var said struct {
		ID string `json:"id"`
	}
	// A provider that says nothing of an id took the message all the same.
	if json.Unmarshal(answer.Body, &said) != nil {
		return "", nil
	}
	return said.ID, nil
}
