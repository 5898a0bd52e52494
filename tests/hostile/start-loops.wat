;; A start function that never ends.
(core module $bad-module
  (func $loop (loop (br 0)))
  (start $loop))
(core instance $bad (instantiate $bad-module))
