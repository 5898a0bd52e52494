;; Has a line end and an escape in its name.
(core module $bad-module
  (import "good" "memory" (memory 1))
  (data (i32.const 2048) "{\"name\": \"a\\u001b[2J\\nb\"}")
  (func (export "describe") (result i32)
    (i32.store (i32.const 1024) (i32.const 2048))
    (i32.store (i32.const 1028) (i32.const 25))
    (i32.const 1024)))
(core instance $bad (instantiate $bad-module (with "good" (instance $good))))
