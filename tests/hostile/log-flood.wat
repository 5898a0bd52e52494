;; Writes lines of 4 KB to its log without end.
(import "andon:plugin/log@0.1.0" (instance $log
  (type $l (enum "debug" "info" "warn" "error"))
  (export "level" (type $level (eq $l)))
  (export "write" (func (param "level" $level) (param "message" string)))))
(core func $write (canon lower (func $log "write") (memory $good-memory)))
(core module $bad-module
  (import "good" "memory" (memory 1))
  (import "host" "write" (func $write (param i32 i32 i32)))
  (func (export "evaluate") (param i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (memory.fill (i32.const 16) (i32.const 120) (i32.const 4000))
    (loop (call $write (i32.const 3) (i32.const 16) (i32.const 4000)) (br 0))
    unreachable))
(core instance $bad (instantiate $bad-module
  (with "good" (instance $good))
  (with "host" (instance (export "write" (func $write))))))
