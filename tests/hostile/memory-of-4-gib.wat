;; Tiny, and asks for 4 GiB of memory from the start.
(core module $bad-module
  (memory 65536))
(core instance $bad (instantiate $bad-module))
