;; Tiny, and asks for a table of ten million elements from the start.
(core module $bad-module
  (table 10000000 funcref))
(core instance $bad (instantiate $bad-module))
