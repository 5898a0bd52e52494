;; Wants more memory than there is, is refused, and goes on with what it has.
(core module $bad-module
  (import "good" "memory" (memory 1))
  (func (export "evaluate") (param i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (drop (memory.grow (i32.const 65534)))
    (i32.const 4096)))
(core instance $bad (instantiate $bad-module (with "good" (instance $good))))
