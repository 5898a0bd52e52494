;; Wants a table of a million elements, and gives up.
(core module $bad-module
  (table 1 funcref)
  (func (export "evaluate") (param i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (if (i32.eq (table.grow (ref.null func) (i32.const 1000000)) (i32.const -1)) (then unreachable))
    (i32.const 4096)))
(core instance $bad (instantiate $bad-module))
