/* andon_sink.c: what a sink is handed, and what came of it. Compile it, with andon_http.c, andon_write.c
 * and sink/abi.c, into sinks only. */
#include "andon_sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "andon_call.h"
#include "andon_sink_call.h"

/* What came of this call so far. */
static struct {
    bool told, sent, timed;
    andon_setback setback;
    uint64_t milliseconds;
    abi_string_t message, id;
} outcome;

static void forget(void) {
    abi_string_free(&outcome.message);
    abi_string_free(&outcome.id);
    memset(&outcome, 0, sizeof outcome);
}

/* A text that the host can take: whatever it is made of, it becomes UTF-8. */
static abi_string_t clean(abi_string_t text) {
    char *whole = andon_sink_utf8((const char *)text.ptr, text.len);
    abi_string_free(&text);
    return (abi_string_t){(uint8_t *)whole, strlen(whole)};
}

static bool tell(andon_setback setback, const char *message, va_list values) {
    /* The first is the one that the others follow from. */
    if (outcome.told) return false;
    outcome.told = true;
    outcome.setback = setback;
    outcome.message = clean(andon_call_print(message, values));
    return false;
}

bool andon_undelivered(andon_setback setback, const char *message, ...) {
    va_list values;
    va_start(values, message);
    tell(setback, message, values);
    va_end(values);
    return false;
}

bool andon_throttled(uint64_t milliseconds, const char *message, ...) {
    bool first = !outcome.told;
    va_list values;
    va_start(values, message);
    tell(ANDON_THROTTLED, message, values);
    va_end(values);
    if (first) {
        outcome.timed = true;
        outcome.milliseconds = milliseconds;
    }
    return false;
}

void andon_receipt(const char *id) {
    abi_string_free(&outcome.id);
    abi_string_dup(&outcome.id, id);
    outcome.id = clean(outcome.id);
}

void andon_sink_sent(bool sent) { outcome.sent = sent; }

bool andon_undelivered_by_status(const char *provider, const andon_answer *answer, const char *says) {
    const char *between = *says == 0 ? "" : ": ";
    const char *wait = andon_answer_header(answer, "retry-after");
    char *end = NULL;
    unsigned long long seconds = wait == NULL ? 0 : strtoull(wait, &end, 10);
    if (answer->status == 429 && end != NULL && end != wait && seconds <= UINT32_MAX)
        return andon_throttled(seconds * 1000, "%s answered 429%s%s", provider, between, says);
    andon_setback setback = ANDON_RETRY;
    switch (answer->status) {
    case 429: setback = ANDON_THROTTLED; break;
    case 401: setback = ANDON_ACCOUNT; break;
    case 403: case 404: case 410: setback = ANDON_ADDRESS; break;
    case 400: case 413: case 422: setback = ANDON_MESSAGE; break;
    }
    return andon_undelivered(setback, "%s answered %d%s%s", provider, answer->status, between, says);
}

const char *andon_occasion_word(andon_occasion occasion) {
    static const char *const words[] = {"alert", "resolved", "answer", "test"};
    return words[occasion];
}

const char *andon_priority_word(andon_priority priority) {
    static const char *const words[] = {"diagnostic", "low", "medium", "high", "critical"};
    return words[priority];
}

/* What the host handed in, with a zero behind it; it is ours to free from now on. */
static char *taken(abi_string_t *text) {
    char *ended = andon_call_ended(text->ptr, text->len);
    memset(text, 0, sizeof *text);
    return ended;
}

static void fail(exports_andon_plugin_sink_failure_t *failure) {
    /* Without a word nobody knows what a request that is out has done. */
    if (!outcome.told)
        andon_undelivered(outcome.sent ? ANDON_UNKNOWN : ANDON_RETRY,
                          "the sink did not deliver and did not say why");
    memset(failure, 0, sizeof *failure);
    failure->setback.tag = (uint8_t)outcome.setback;
    failure->setback.val.throttled.is_some = outcome.timed;
    failure->setback.val.throttled.val = outcome.milliseconds;
    failure->message = outcome.message;
    memset(&outcome.message, 0, sizeof outcome.message);
}

bool exports_andon_plugin_sink_deliver(int64_t now,
                                       exports_andon_plugin_sink_notification_t *given,
                                       exports_andon_plugin_sink_receipt_t *receipt,
                                       exports_andon_plugin_sink_failure_t *failure) {
    andon_call_start();
    forget();
    char *id = taken(&given->id), *address = taken(&given->address), *text = taken(&given->text);
    andon_message message = {
        .id = id,
        .address = address,
        .text = text,
        .occasion = (andon_occasion)given->occasion,
        .priority = (andon_priority)given->priority,
        .attempt = given->attempt,
        .now = now,
        .created_at = given->created_at,
        .expires_at = given->expires_at,
    };
    bool delivered = andon_deliver(&message);
    free(id);
    free(address);
    free(text);
    exports_andon_plugin_sink_attributes_free(&given->attributes);
    if (!delivered) {
        fail(failure);
        return false;
    }
    memset(receipt, 0, sizeof *receipt);
    receipt->id.is_some = outcome.id.len > 0;
    receipt->id.val = outcome.id;
    if (receipt->id.is_some) memset(&outcome.id, 0, sizeof outcome.id);
    return true;
}
