;; Answers a result that is neither ok nor an error.
(core module $bad-module
  (import "good" "memory" (memory 1))
  (func (export "evaluate") (param i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.store (i32.const 1024) (i32.const 2))
    (i32.const 1024)))
(core instance $bad (instantiate $bad-module (with "good" (instance $good))))
