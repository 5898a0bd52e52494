;; Imports outgoing HTTP.
(import "wasi:http/outgoing-handler@0.2.0" (instance))
(core module $bad-module)
(core instance $bad (instantiate $bad-module))
