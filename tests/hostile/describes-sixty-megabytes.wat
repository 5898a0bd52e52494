;; Describes itself with sixty megabytes.
(core module $bad-module
  (import "good" "memory" (memory 1))
  (func (export "describe") (result i32)
    (drop (memory.grow (i32.const 1000)))
    (i32.store (i32.const 1024) (i32.const 131072))
    (i32.store (i32.const 1028) (i32.const 60000000))
    (i32.const 1024)))
(core instance $bad (instantiate $bad-module (with "good" (instance $good))))
