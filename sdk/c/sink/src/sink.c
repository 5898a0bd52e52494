/* Posts each message as JSON to the address of the contact. */
#include <andon_sink.h>
#include <stdlib.h>
#include <string.h>

const char andon_about[] = {
#embed "about.json"
    , 0};

/* The longest piece of an answer that is told to people, characters. */
#define SAYS_CHARACTERS_MAX 200

static const char *title;

bool andon_configure(const andon_config *config) {
    return andon_parameter_text(config, "title", "Andon", &title);
}

/* The `id` of an answer, where it gives one. */
static void read_receipt(const andon_answer *answer) {
    andon_json said;
    if (!andon_json_read(answer->body, answer->size, &said)) return;
    andon_json id = andon_json_member(said, "id");
    if (andon_json_kind_of(id) != ANDON_JSON_TEXT) return;
    char *text = malloc(andon_json_size(id));
    if (text != NULL && andon_json_text(id, text, andon_json_size(id))) andon_receipt(text);
    free(text);
}

bool andon_deliver(const andon_message *message) {
    const char *address = message->address;
    if (strncmp(address, "https://", 8) != 0 && strncmp(address, "http://", 7) != 0)
        return andon_undelivered(ANDON_ADDRESS, "`%s` is no address like https://example.net/path",
                                 address);
    andon_writer body = {0};
    andon_write_text(&body, "id", message->id);
    andon_write_text(&body, "title", title);
    andon_write_text(&body, "text", message->text);
    andon_write_text(&body, "occasion", andon_occasion_word(message->occasion));
    andon_write_text(&body, "priority", andon_priority_word(message->priority));
    andon_write_number(&body, "attempt", message->attempt);
    andon_answer answer;
    bool answered = andon_post_json(address, andon_write_end(&body), &answer);
    andon_writer_free(&body);
    if (!answered) return false;
    bool taken = andon_answer_ok(&answer);
    if (taken) {
        read_receipt(&answer);
    } else {
        char *says = andon_answer_says(&answer, SAYS_CHARACTERS_MAX);
        andon_undelivered_by_status("the webhook", &answer, says);
        free(says);
    }
    andon_answer_free(&answer);
    return taken;
}
