;; Has a schema of its parameters that only refers to itself.
(core module $bad-module
  (import "good" "memory" (memory 1))
  (data (i32.const 2048) "{\"name\": \"x\", \"parameters\": {\"$ref\": \"#\"}}")
  (func (export "describe") (result i32)
    (i32.store (i32.const 1024) (i32.const 2048))
    (i32.store (i32.const 1028) (i32.const 42))
    (i32.const 1024)))
(core instance $bad (instantiate $bad-module (with "good" (instance $good))))
