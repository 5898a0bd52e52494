/* rule.c: all of the C below a rule in one unit, so that a build has one command for it. */
#include "andon.c"
#include "andon_json.c"
#include "andon_logic.c"
#include "andon_rule.c"
#include "rule/abi.c"
