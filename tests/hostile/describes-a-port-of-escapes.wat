;; Has an input whose name is a line end and an escape.
(core module $bad-module
  (import "good" "memory" (memory 1))
  (data (i32.const 2048) "{\"name\": \"x\", \"inputs\": [{\"name\": \"a\\u001b\\nb\"}]}")
  (func (export "describe") (result i32)
    (i32.store (i32.const 1024) (i32.const 2048))
    (i32.store (i32.const 1028) (i32.const 49))
    (i32.const 1024)))
(core instance $bad (instantiate $bad-module (with "good" (instance $good))))
