;; Its data lie outside its memory.
(core module $bad-module
  (memory 1)
  (data (i32.const 0x7fffffff) "far away"))
(core instance $bad (instantiate $bad-module))
