;; Waits for another thread on an atomic of a shared memory; there is none.
(core module $bad-module
  (memory 1 1 shared)
  (func (export "evaluate") (param i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))
    (i32.const 4096)))
(core instance $bad (instantiate $bad-module))
