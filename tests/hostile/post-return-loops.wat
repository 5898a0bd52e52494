;; Answers, and then never ends while it cleans up.
(core module $bad-module
  (func (export "post-return") (param i32) (loop (br 0))))
(core instance $bad (instantiate $bad-module))
