/* andon_sink_call.h: what the parts of a sink's glue share. Nothing in here is for authors of sinks. */
#ifndef ANDON_SINK_CALL_H
#define ANDON_SINK_CALL_H

#include <stdbool.h>
#include <stddef.h>

/* Whether something of this call may have left. */
void andon_sink_sent(bool sent);

/* The same as UTF-8, up to a zero, with U+FFFD for what is none; to be freed. */
char *andon_sink_utf8(const char *bytes, size_t size);

/* How many bytes the sign at the beginning has in UTF-8; 0 if there is none. */
size_t andon_sink_sign(const char *bytes, size_t size);

#endif
