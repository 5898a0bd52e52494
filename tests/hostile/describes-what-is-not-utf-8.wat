;; Describes itself with bytes that are not UTF-8.
(core module $bad-module
  (import "good" "memory" (memory 1))
  (func (export "describe") (result i32)
    (i32.store (i32.const 1024) (i32.const 2048))
    (i32.store (i32.const 1028) (i32.const 4))
    (i32.store (i32.const 2048) (i32.const 0xfffefffe))
    (i32.const 1024)))
(core instance $bad (instantiate $bad-module (with "good" (instance $good))))
