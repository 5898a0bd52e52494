/* sink.c: all of the C below a sink in one unit, so that a build has one command for it. */
#include "andon.c"
#include "andon_http.c"
#include "andon_json.c"
#include "andon_sink.c"
#include "andon_write.c"
#include "sink/abi.c"
