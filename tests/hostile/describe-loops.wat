;; `describe` never ends.
(core module $bad-module
  (func (export "describe") (result i32) (loop (br 0)) unreachable))
(core instance $bad (instantiate $bad-module))
