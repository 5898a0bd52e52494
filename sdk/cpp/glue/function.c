/* function.c: all of the C below a function in one unit, so that a build has one command for it. */
#include "andon.c"
#include "andon_function.c"
#include "andon_json.c"
#include "andon_logic.c"
#include "function/abi.c"
