;; The allocator answers odd places.
(core module $bad-module
  (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8193)))
(core instance $bad (instantiate $bad-module))
