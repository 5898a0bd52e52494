;; Sleeps for a nanosecond, for ever. Handles run out only if they are not given back.
(import "wasi:io/poll@0.2.0" (instance $poll
  (export "pollable" (type $pollable (sub resource)))
  (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
(alias export $poll "pollable" (type $pollable))
(import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
  (alias outer 1 $pollable (type $p))
  (export "pollable" (type $pollable (eq $p)))
  (export "subscribe-duration" (func (param "when" u64) (result (own $pollable))))))
(core func $block (canon lower (func $poll "[method]pollable.block")))
(core func $subscribe (canon lower (func $clock "subscribe-duration")))
(core func $drop (canon resource.drop $pollable))
(core module $bad-module
  (import "good" "memory" (memory 1))
  (import "host" "block" (func $block (param i32)))
  (import "host" "subscribe" (func $subscribe (param i64) (result i32)))
  (import "host" "drop" (func $drop (param i32)))
  (func (export "evaluate") (param i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (local $nap i32)
    (loop
      (local.set $nap (call $subscribe (i64.const 1)))
      (call $block (local.get $nap))
      (call $drop (local.get $nap))
      (br 0))
    unreachable))
(core instance $bad (instantiate $bad-module
  (with "good" (instance $good))
  (with "host" (instance (export "block" (func $block)) (export "subscribe" (func $subscribe))
    (export "drop" (func $drop))))))
