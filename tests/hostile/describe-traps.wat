;; `describe` traps.
(core module $bad-module
  (func (export "describe") (result i32) unreachable))
(core instance $bad (instantiate $bad-module))
