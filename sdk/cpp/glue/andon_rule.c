/* andon_rule.c: the answers of a rule. Compile it, with rule/abi.c, into rules only. */
#include "andon_call.h"

#include <stdlib.h>
#include <string.h>

typedef exports_andon_plugin_rule_action_t action;

/* The answer of this call so far. */
static struct {
    action *actions;
    size_t count, room;
} answer;

static void take_back(void) {
    for (size_t i = 0; i < answer.count; i++) andon_plugin_types_action_free(&answer.actions[i]);
    free(answer.actions);
    memset(&answer, 0, sizeof answer);
}

/* Room for one more action; NULL if there are too many, which declines the call. */
static action *add(uint8_t tag) {
    if (answer.count == ANDON_ANSWERS_MAX) {
        andon_decline("too-many-actions", "a call has at most %d actions", ANDON_ANSWERS_MAX);
        return NULL;
    }
    if (answer.count == answer.room) {
        answer.room = answer.room == 0 ? 4 : answer.room * 2;
        answer.actions = andon_call_resize(answer.actions, answer.room, sizeof *answer.actions);
    }
    action *added = &answer.actions[answer.count++];
    memset(added, 0, sizeof *added);
    added->tag = tag;
    return added;
}

/* Raised and notified alarms lie in the same place of an action. */
static void add_alarm(uint8_t tag, const char *key, andon_priority priority, const char *message,
                      va_list values) {
    action *added = add(tag);
    if (added == NULL) return;
    abi_string_dup(&added->val.raise.key, key);
    added->val.raise.priority = (andon_plugin_types_priority_t)priority;
    added->val.raise.message = andon_call_print(message, values);
}

void andon_raise(const char *key, andon_priority priority, const char *message, ...) {
    va_list values;
    va_start(values, message);
    add_alarm(ANDON_PLUGIN_TYPES_ACTION_RAISE, key, priority, message, values);
    va_end(values);
}

void andon_notify(const char *key, andon_priority priority, const char *message, ...) {
    va_list values;
    va_start(values, message);
    add_alarm(ANDON_PLUGIN_TYPES_ACTION_NOTIFY, key, priority, message, values);
    va_end(values);
}

void andon_clear(const char *key) {
    action *added = add(ANDON_PLUGIN_TYPES_ACTION_CLEAR);
    if (added != NULL) abi_string_dup(&added->val.clear, key);
}

void andon_attribute(const char *name, const char *value) {
    if (answer.count == 0) return;
    action *last = &answer.actions[answer.count - 1];
    if (last->tag == ANDON_PLUGIN_TYPES_ACTION_CLEAR) return;
    andon_plugin_types_attributes_t *attributes = &last->val.raise.attributes;
    attributes->ptr = andon_call_resize(attributes->ptr, attributes->len + 1, sizeof *attributes->ptr);
    abi_string_dup(&attributes->ptr[attributes->len].f0, name);
    abi_string_dup(&attributes->ptr[attributes->len].f1, value);
    attributes->len++;
}

bool exports_andon_plugin_rule_evaluate(int64_t now, exports_andon_plugin_rule_samples_t *samples,
                                        exports_andon_plugin_rule_list_action_t *actions,
                                        exports_andon_plugin_rule_failure_t *failure) {
    andon_call_start();
    andon_samples batch = andon_call_samples(samples);
    bool fine = andon_evaluate(now, &batch) && !andon_call_declined();
    exports_andon_plugin_rule_samples_free(samples);
    if (!fine) {
        take_back();
        andon_call_failure(failure);
        return false;
    }
    actions->ptr = answer.actions;
    actions->len = answer.count;
    /* The bindings free an answer with something in it. */
    if (answer.count > 0) memset(&answer, 0, sizeof answer);
    return true;
}
