;; Calls itself without end.
(core module $bad-module
  (func $down (param i32) (result i32)
    (i32.add (call $down (i32.add (local.get 0) (i32.const 1))) (local.get 0)))
  (func (export "evaluate") (param i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (call $down (i32.const 0))))
(core instance $bad (instantiate $bad-module))
