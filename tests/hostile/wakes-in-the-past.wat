;; Asks at each call to be called at the beginning of time.
(import "andon:plugin/timer@0.1.0" (instance $timer
  (export "wake-at" (func (param "time" s64)))))
(core func $wake (canon lower (func $timer "wake-at")))
(core module $bad-module
  (import "good" "memory" (memory 1))
  (import "host" "wake" (func $wake (param i64)))
  (func (export "evaluate") (param i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (call $wake (i64.const 0x8000000000000000))
    (i32.const 4096)))
(core instance $bad (instantiate $bad-module
  (with "good" (instance $good))
  (with "host" (instance (export "wake" (func $wake))))))
