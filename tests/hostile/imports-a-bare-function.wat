;; Imports a function without an interface.
(import "phone-number" (func (result string)))
(core module $bad-module)
(core instance $bad (instantiate $bad-module))
