;; Asks for 2^40 random bytes at once.
(import "wasi:random/random@0.2.0" (instance $random
  (export "get-random-bytes" (func (param "len" u64) (result (list u8))))))
(core func $bytes (canon lower (func $random "get-random-bytes") (memory $good-memory)
  (realloc $good-realloc)))
(core module $bad-module
  (import "good" "memory" (memory 1))
  (import "host" "bytes" (func $bytes (param i64 i32)))
  (func (export "evaluate") (param i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (call $bytes (i64.const 0x10000000000) (i32.const 1024))
    (i32.const 4096)))
(core instance $bad (instantiate $bad-module
  (with "good" (instance $good))
  (with "host" (instance (export "bytes" (func $bytes))))))
