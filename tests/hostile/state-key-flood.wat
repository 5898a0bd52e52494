;; Remembers nothing, under 60,000 keys of four characters.
(import "andon:plugin/state@0.1.0" (instance $state
  (export "get" (func (param "key" string) (result (option (list u8)))))
  (export "set" (func (param "key" string) (param "value" (list u8))
    (result (result (error $failure)))))))
(core func $get (canon lower (func $state "get") (memory $good-memory) (realloc $good-realloc)))
(core func $set (canon lower (func $state "set") (memory $good-memory) (realloc $good-realloc)))
(core module $bad-module
  (import "good" "memory" (memory 1))
  (import "host" "set" (func $set (param i32 i32 i32 i32 i32)))
  (func (export "evaluate") (param i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (local $n i32)
    (loop
      (i32.store (i32.const 1024) (i32.add (i32.const 0x30303030)
        (i32.or
          (i32.or (i32.and (local.get $n) (i32.const 15))
            (i32.shl (i32.and (local.get $n) (i32.const 240)) (i32.const 4)))
          (i32.or (i32.shl (i32.and (local.get $n) (i32.const 3840)) (i32.const 8))
            (i32.shl (i32.and (local.get $n) (i32.const 61440)) (i32.const 12))))))
      (call $set (i32.const 1024) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 1040))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if 0 (i32.lt_u (local.get $n) (i32.const 60000))))
    (i32.const 4096)))
(core instance $bad (instantiate $bad-module
  (with "good" (instance $good))
  (with "host" (instance (export "get" (func $get)) (export "set" (func $set))))))
