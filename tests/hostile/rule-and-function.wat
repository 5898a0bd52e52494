;; Says that it is a rule and a function.
(component
  (instance $nothing)
  (export "andon:plugin/plugin@0.1.0" (instance $nothing))
  (export "andon:plugin/rule@0.1.0" (instance $nothing))
  (export "andon:plugin/function@0.1.0" (instance $nothing)))
