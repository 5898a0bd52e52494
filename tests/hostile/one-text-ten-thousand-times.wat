;; Answers ten thousand keys that are all the same megabyte of its memory.
(core module $bad-module
  (import "good" "memory" (memory 1))
  (func (export "evaluate") (param i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (local $row i32)
    (drop (memory.grow (i32.const 40)))
    (memory.fill (i32.const 131072) (i32.const 120) (i32.const 1000000))
    (local.set $row (i32.const 1200000))
    (loop
      (i32.store (local.get $row) (i32.const 1))
      (i32.store offset=4 (local.get $row) (i32.const 131072))
      (i32.store offset=8 (local.get $row) (i32.const 1000000))
      (local.set $row (i32.add (local.get $row) (i32.const 32)))
      (br_if 0 (i32.lt_u (local.get $row) (i32.const 1520000))))
    (i32.store (i32.const 1028) (i32.const 1200000))
    (i32.store (i32.const 1032) (i32.const 10000))
    (i32.const 1024)))
(core instance $bad (instantiate $bad-module (with "good" (instance $good))))
