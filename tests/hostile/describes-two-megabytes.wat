;; Describes itself with two megabytes.
(core module $bad-module
  (import "good" "memory" (memory 1))
  (func (export "describe") (result i32)
    (drop (memory.grow (i32.const 40)))
    (memory.fill (i32.const 131072) (i32.const 32) (i32.const 2097152))
    (i32.store (i32.const 1024) (i32.const 131072))
    (i32.store (i32.const 1028) (i32.const 2097152))
    (i32.const 1024)))
(core instance $bad (instantiate $bad-module (with "good" (instance $good))))
