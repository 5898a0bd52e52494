;; `evaluate` divides by zero.
(core module $bad-module
  (func (export "evaluate") (param i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.div_u (i32.const 1) (i32.const 0))))
(core instance $bad (instantiate $bad-module))
