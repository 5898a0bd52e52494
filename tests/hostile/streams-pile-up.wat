;; Opens its standard output again and again and never drops it.
(import "wasi:io/error@0.2.0" (instance $errors (export "error" (type (sub resource)))))
(alias export $errors "error" (type $error))
(import "wasi:io/streams@0.2.0" (instance $streams
  (export "output-stream" (type $stream (sub resource)))
  (alias outer 1 $error (type $e))
  (export "error" (type $error (eq $e)))
  (type $se (variant (case "last-operation-failed" (own $error)) (case "closed")))
  (export "stream-error" (type $stream-error (eq $se)))
  (export "[method]output-stream.blocking-write-and-flush"
    (func (param "self" (borrow $stream)) (param "contents" (list u8))
      (result (result (error $stream-error)))))))
(alias export $streams "output-stream" (type $stream))
(import "wasi:cli/stdout@0.2.0" (instance $stdout
  (alias outer 1 $stream (type $s))
  (export "output-stream" (type $stream (eq $s)))
  (export "get-stdout" (func (result (own $stream))))))
(core func $stdout (canon lower (func $stdout "get-stdout")))
(core func $print (canon lower (func $streams "[method]output-stream.blocking-write-and-flush")
  (memory $good-memory)))
(core module $bad-module
  (import "good" "memory" (memory 1))
  (import "host" "stdout" (func $stdout (result i32)))
  (import "host" "print" (func $print (param i32 i32 i32 i32)))
  (func (export "evaluate") (param i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (loop (drop (call $stdout)) (br 0))
    unreachable))
(core instance $bad (instantiate $bad-module
  (with "good" (instance $good))
  (with "host" (instance (export "stdout" (func $stdout)) (export "print" (func $print))))))
