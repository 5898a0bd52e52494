;; `evaluate` never ends.
(core module $bad-module
  (func (export "evaluate") (param i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (loop (br 0)) unreachable))
(core instance $bad (instantiate $bad-module))
