;; `configure` traps.
(core module $bad-module
  (func (export "configure") (param i32 i32) (result i32) unreachable))
(core instance $bad (instantiate $bad-module))
