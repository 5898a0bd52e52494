;; A start function that traps.
(core module $bad-module
  (func $trap unreachable)
  (start $trap))
(core instance $bad (instantiate $bad-module))
