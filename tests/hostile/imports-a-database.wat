;; Imports a key-value store.
(import "wasi:keyvalue/store@0.2.0" (instance))
(core module $bad-module)
(core instance $bad (instantiate $bad-module))
