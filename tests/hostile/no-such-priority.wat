;; Raises an alarm of a priority that the contract does not have.
(core module $bad-module
  (import "good" "memory" (memory 1))
  (func (export "evaluate") (param i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.store (i32.const 1028) (i32.const 2048))
    (i32.store (i32.const 1032) (i32.const 1))
    (i32.store (i32.const 2060) (i32.const 9))
    (i32.const 1024)))
(core instance $bad (instantiate $bad-module (with "good" (instance $good))))
