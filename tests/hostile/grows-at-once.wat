;; Wants all 4 GiB of memory in one step, and gives up.
(core module $bad-module
  (import "good" "memory" (memory 1))
  (func (export "evaluate") (param i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (if (i32.eq (memory.grow (i32.const 65534)) (i32.const -1)) (then unreachable))
    (i32.const 4096)))
(core instance $bad (instantiate $bad-module (with "good" (instance $good))))
