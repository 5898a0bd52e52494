/* andon_call.h: what the parts of the glue share. Nothing in here is for authors of plugins. */
#ifndef ANDON_CALL_H
#define ANDON_CALL_H

#include <stdarg.h>

#include "abi.h"
#include "andon.h"

/* Most actions or values of one call. More of them make the call decline. */
#define ANDON_ANSWERS_MAX 10000

/* Forgets why an earlier call declined. */
void andon_call_start(void);

/* Whether this call declined. */
bool andon_call_declined(void);

/* Hands the reason over to the host. */
void andon_call_failure(andon_plugin_types_failure_t *failure);

/* A batch as authors see it. */
andon_samples andon_call_samples(const andon_plugin_types_samples_t *samples);

/* Memory, or the end of the instance: without memory there is nothing left to decide. */
void *andon_call_resize(void *memory, size_t count, size_t size);

/* What the host gave, with a zero behind it. The host's memory becomes the answer's. */
char *andon_call_ended(uint8_t *bytes, size_t size);

/* A text of the host's kind, written as by vprintf. */
abi_string_t andon_call_print(const char *format, va_list values);

#endif
