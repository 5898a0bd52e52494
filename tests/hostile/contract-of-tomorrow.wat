;; Speaks a version of the contract that nobody knows.
(component
  (instance $nothing)
  (export "andon:plugin/plugin@9.0.0" (instance $nothing))
  (export "andon:plugin/rule@9.0.0" (instance $nothing)))
