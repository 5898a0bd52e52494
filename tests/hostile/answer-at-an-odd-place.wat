;; Answers at a place that is not aligned.
(core module $bad-module
  (import "good" "memory" (memory 1))
  (func (export "evaluate") (param i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)

    (i32.const 1025)))
(core instance $bad (instantiate $bad-module (with "good" (instance $good))))
