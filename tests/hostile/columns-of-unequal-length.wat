;; Computes columns of unequal length.
(core module $bad-module
  (import "good" "memory" (memory 1))
  (func (export "compute") (param i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.store (i32.const 1028) (i32.const 2048))
    (i32.store (i32.const 1032) (i32.const 3))
    (i32.store (i32.const 1036) (i32.const 2176))
    (i32.store (i32.const 1040) (i32.const 2))
    (i32.store (i32.const 1044) (i32.const 2304))
    (i32.store (i32.const 1048) (i32.const 1))
    (i32.store (i32.const 1052) (i32.const 2432))
    (i32.store (i32.const 1056) (i32.const 0))
    (i32.const 1024)))
(core instance $bad (instantiate $bad-module (with "good" (instance $good))))
