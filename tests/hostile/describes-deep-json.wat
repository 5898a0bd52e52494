;; Has half a million opening brackets in the schema of its parameters.
(core module $bad-module
  (import "good" "memory" (memory 1))
  (data (i32.const 2048) "{\22name\22: \22x\22, \22parameters\22: ")
  (func (export "describe") (result i32)
    (drop (memory.grow (i32.const 10)))
    (memory.copy (i32.const 131072) (i32.const 2048) (i32.const 28))
    (memory.fill (i32.const 131100) (i32.const 91) (i32.const 500000))
    (i32.store (i32.const 1024) (i32.const 131072))
    (i32.store (i32.const 1028) (i32.const 500028))
    (i32.const 1024)))
(core instance $bad (instantiate $bad-module (with "good" (instance $good))))
