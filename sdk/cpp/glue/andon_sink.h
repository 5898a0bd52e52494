/* andon_sink.h: sinks for Andon, in C: ways to reach people that the host lacks.
 *
 * You write andon_about, andon_configure and andon_deliver. A sink has no inputs, no state and no timer;
 * of andon.h it has the configuration, andon_decline and the log. Requests go to the hosts of the sink's
 * settings alone, and the host adds headers with secrets. Texts are as in andon.h.
 */
#ifndef ANDON_SINK_H
#define ANDON_SINK_H

#include "andon.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- What you write ------------------------------------------------------------------------ */

/* What a message tells. */
typedef enum andon_occasion {
    /* A condition holds, or something happened once. */
    ANDON_ALERT,
    /* The condition is over. */
    ANDON_RESOLVED,
    /* What became of somebody's reply. */
    ANDON_ANSWER,
    /* Somebody tries whether the channel works. */
    ANDON_TEST,
} andon_occasion;

/* One message to one address; its texts are good until andon_deliver ends. */
typedef struct andon_message {
    /* Names the message; the same at every try, so it can serve as an idempotency key. */
    const char *id;
    /* Where to, in this sink's own terms, as the settings of the contact give it. */
    const char *address;
    /* The whole text, complete in itself. */
    const char *text;
    andon_occasion occasion;
    andon_priority priority;
    /* Number of this try, from 1. */
    uint32_t attempt;
    /* `now` is the only clock; the message became owed, and is noise from then on. */
    int64_t now, created_at, expires_at;
} andon_message;

/* Sends one message. True: the provider took it. False: it did not, or nobody knows; andon_undelivered
 * and its like say so, and give the false to be returned. */
bool andon_deliver(const andon_message *message);

/* ---- What came of it ----------------------------------------------------------------------- */

/* The provider's id of the message, where it gives one. */
void andon_receipt(const char *id);

/* What the host shall do about a message that was not delivered. */
typedef enum andon_setback {
    /* Surely not taken: try again, each time later. */
    ANDON_RETRY,
    /* The same, and asked to slow down. */
    ANDON_THROTTLED,
    /* This message will never be taken. */
    ANDON_MESSAGE,
    /* Nothing will ever reach this address: the contact's next channel. */
    ANDON_ADDRESS,
    /* The account can send nothing at all: the next channel, and an alarm of the sink. */
    ANDON_ACCOUNT,
    /* It may or may not have been taken: what goes out next is marked as a repeat. */
    ANDON_UNKNOWN,
} andon_setback;

/* Tells what a person reads: who refused, and why. Written as by printf; gives false. */
bool andon_undelivered(andon_setback setback, const char *message, ...) ANDON_FORMAT(2, 3);

/* ANDON_THROTTLED, not before so many milliseconds. Gives false. */
bool andon_throttled(uint64_t milliseconds, const char *message, ...) ANDON_FORMAT(2, 3);

/* ---- HTTP ---------------------------------------------------------------------------------- */

typedef struct andon_header {
    const char *name;
    const char *value;
} andon_header;

/* What a server answered. Give it back with andon_answer_free. */
typedef struct andon_answer {
    uint16_t status;
    size_t header_count;
    /* Names in lower case. */
    andon_header *headers;
    /* With a zero behind it, which `size` does not count. */
    char *body;
    size_t size;
} andon_answer;

/* Sends a request and waits for the whole answer. Redirects are answers; a body has at most 1 MiB,
 * either way. False: there is no answer, and andon_undelivered was called with what that means. */
bool andon_send(const char *method, const char *url, const andon_header *headers, size_t header_count,
                const void *body, size_t size, andon_answer *answer);

/* Posts JSON. */
bool andon_post_json(const char *url, const char *json, andon_answer *answer);

void andon_answer_free(andon_answer *answer);

/* Whether the status says that it was taken: 200 to 299. */
bool andon_answer_ok(const andon_answer *answer);

/* The first header of that name; NULL if there is none. */
const char *andon_answer_header(const andon_answer *answer, const char *name);

/* The beginning of the body as people read it: trimmed, and what is no UTF-8 replaced. Yours to free. */
char *andon_answer_says(const andon_answer *answer, size_t characters_max);

/* Tells what an answer other than a success usually means: 429 is throttled; 401 is the account; 403,
 * 404 and 410 are the address; 400, 413 and 422 are the message; anything else is tried again.
 * `provider` names who answered. Gives false. */
bool andon_undelivered_by_status(const char *provider, const andon_answer *answer, const char *says);

/* ---- Small things -------------------------------------------------------------------------- */

/* "alert", "resolved", "answer" or "test"; "diagnostic", "low", "medium", "high" or "critical". */
const char *andon_occasion_word(andon_occasion occasion);
const char *andon_priority_word(andon_priority priority);

/* A JSON object in the making: begin with `andon_writer object = {0};`. */
typedef struct andon_writer {
    char *text;
    size_t size, room;
} andon_writer;

void andon_write_text(andon_writer *object, const char *name, const char *value);
void andon_write_number(andon_writer *object, const char *name, double value);

/* Ends the object and gives its text, which andon_writer_free frees. */
const char *andon_write_end(andon_writer *object);
void andon_writer_free(andon_writer *object);

#ifdef __cplusplus
}
#endif
#endif
