;; The allocator calls the host while the host hands over arguments.
(import "andon:plugin/log@0.1.0" (instance $log
  (type $l (enum "debug" "info" "warn" "error"))
  (export "level" (type $level (eq $l)))
  (export "write" (func (param "level" $level) (param "message" string)))))
(core func $write (canon lower (func $log "write") (memory $good-memory)))
(core module $bad-module
  (import "good" "memory" (memory 1))
  (import "host" "write" (func $write (param i32 i32 i32)))
  (func (export "realloc") (param i32 i32 i32 i32) (result i32)
    (call $write (i32.const 3) (i32.const 16) (i32.const 4))
    (i32.const 8192)))
(core instance $bad (instantiate $bad-module
  (with "good" (instance $good))
  (with "host" (instance (export "write" (func $write))))))
