;; Answers, and then traps while it cleans up.
(core module $bad-module
  (func (export "post-return") (param i32) unreachable))
(core instance $bad (instantiate $bad-module))
