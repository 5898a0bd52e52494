;; Imports an interface of the host that no host has.
(import "andon:plugin/people@0.1.0" (instance))
(core module $bad-module)
(core instance $bad (instantiate $bad-module))
