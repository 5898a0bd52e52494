;; Imports code that somebody else would have to bring.
(import "wasi:io/error@0.2.0" (core module))
(core module $bad-module)
(core instance $bad (instantiate $bad-module))
