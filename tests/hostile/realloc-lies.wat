;; The allocator answers a place outside the memory.
(core module $bad-module
  (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0x7ffffff8)))
(core instance $bad (instantiate $bad-module))
