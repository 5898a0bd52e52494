;; Asks the host for its state without end.
(import "andon:plugin/state@0.1.0" (instance $state
  (export "get" (func (param "key" string) (result (option (list u8)))))
  (export "set" (func (param "key" string) (param "value" (list u8))
    (result (result (error $failure)))))))
(core func $get (canon lower (func $state "get") (memory $good-memory) (realloc $good-realloc)))
(core func $set (canon lower (func $state "set") (memory $good-memory) (realloc $good-realloc)))
(core module $bad-module
  (import "good" "memory" (memory 1))
  (import "host" "get" (func $get (param i32 i32 i32)))
  (func (export "evaluate") (param i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (loop (call $get (i32.const 16) (i32.const 4) (i32.const 1024)) (br 0))
    unreachable))
(core instance $bad (instantiate $bad-module
  (with "good" (instance $good))
  (with "host" (instance (export "get" (func $get)) (export "set" (func $set))))))
