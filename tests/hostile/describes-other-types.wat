;; Describes itself with JSON of other types.
(core module $bad-module
  (import "good" "memory" (memory 1))
  (data (i32.const 2048) "{\"name\": 5, \"inputs\": \"all\"}")
  (func (export "describe") (result i32)
    (i32.store (i32.const 1024) (i32.const 2048))
    (i32.store (i32.const 1028) (i32.const 28))
    (i32.const 1024)))
(core instance $bad (instantiate $bad-module (with "good" (instance $good))))
