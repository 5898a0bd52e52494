;; Wants memory page by page until it gets none, and gives up.
(core module $bad-module
  (import "good" "memory" (memory 1))
  (func (export "evaluate") (param i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (loop (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
    unreachable))
(core instance $bad (instantiate $bad-module (with "good" (instance $good))))
