;; Writes one line of a megabyte to its log, ten times.
(import "andon:plugin/log@0.1.0" (instance $log
  (type $l (enum "debug" "info" "warn" "error"))
  (export "level" (type $level (eq $l)))
  (export "write" (func (param "level" $level) (param "message" string)))))
(core func $write (canon lower (func $log "write") (memory $good-memory)))
(core module $bad-module
  (import "good" "memory" (memory 1))
  (import "host" "write" (func $write (param i32 i32 i32)))
  (func (export "evaluate") (param i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (local $n i32)
    (drop (memory.grow (i32.const 20)))
    (memory.fill (i32.const 131072) (i32.const 120) (i32.const 1000000))
    (loop
      (call $write (i32.const 3) (i32.const 131072) (i32.const 1000000))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if 0 (i32.lt_u (local.get $n) (i32.const 10))))
    (i32.const 4096)))
(core instance $bad (instantiate $bad-module
  (with "good" (instance $good))
  (with "host" (instance (export "write" (func $write))))))
