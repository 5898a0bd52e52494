;; Imports a WASI that is not linked.
(import "wasi:io/poll@0.3.0" (instance))
(core module $bad-module)
(core instance $bad (instantiate $bad-module))
