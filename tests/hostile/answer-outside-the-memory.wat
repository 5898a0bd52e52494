;; Answers at a place outside its memory.
(core module $bad-module
  (import "good" "memory" (memory 1))
  (func (export "evaluate") (param i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)

    (i32.const 0x7ffffff8)))
(core instance $bad (instantiate $bad-module (with "good" (instance $good))))
